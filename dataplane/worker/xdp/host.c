/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <assert.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rights.h"
#include "wiremill/limits.h"

/* ---- the interface ------------------------------------------------------ */

static int ask(int fd, unsigned long what, struct ifreq *request, const char *name,
	       struct wm_error *error)
{
	if (ioctl(fd, what, request) < 0)
		return wm_error_set(error, errno, "interface %s cannot be read: %s", name,
				    wm_errno_text(errno));
	return 0;
}

/* `request` asks for that name from now on. */
static int find_index(unsigned *index, struct ifreq *request, int fd, const char *name,
		      struct wm_error *error)
{
	bool fits = strlen(name) < sizeof(request->ifr_name);

	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
	if (fits && ioctl(fd, SIOCGIFINDEX, request) == 0) {
		*index = (unsigned)request->ifr_ifindex;
		return 0;
	}
	if (fits && errno != ENODEV)
		return wm_error_set(error, errno, "interface %s cannot be read: %s", name,
				    wm_errno_text(errno));
	return wm_error_set(error, ENODEV,
			    "there is no interface '%s': 'ip -brief link' lists them", name);
}

static int read_interface(struct wm_host_interface *interface, int fd, const char *name,
			  struct wm_error *error)
{
	struct ifreq request = { 0 };
	int ret;

	ret = find_index(&interface->index, &request, fd, name, error);
	if (ret < 0)
		return ret;
	ret = ask(fd, SIOCGIFHWADDR, &request, name, error);
	if (ret < 0)
		return ret;
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return wm_error_set(error, ENOTSUP,
				    "interface %s is no Ethernet: name one with --interface", name);
	memcpy(interface->address, request.ifr_hwaddr.sa_data, WM_ETHER_ADDR_BYTES);

	ret = ask(fd, SIOCGIFFLAGS, &request, name, error);
	if (ret < 0)
		return ret;
	if (!(request.ifr_flags & IFF_UP))
		return wm_error_set(error, ENETDOWN,
				    "interface %s is down: run 'ip link set %s up'", name, name);

	ret = ask(fd, SIOCGIFMTU, &request, name, error);
	if (ret < 0)
		return ret;
	if (request.ifr_mtu < (int)WM_MTU_MIN)
		return wm_error_set(error, EMSGSIZE,
				    "interface %s has an MTU of %d, at least %u is needed: run "
				    "'ip link set %s mtu 1500'",
				    name, request.ifr_mtu, WM_MTU_MIN, name);
	interface->mtu = request.ifr_mtu > (int)WM_MTU_MAX ? WM_MTU_MAX : (uint32_t)request.ifr_mtu;
	return 0;
}

int wm_host_interface_find(struct wm_host_interface *interface, const char *name,
			   struct wm_error *error)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0 && wm_rights_are_filtered())
		return wm_error_set(error, errno,
				    "a seccomp filter forbids sockets (%s), by which interface %s "
				    "is read: allow them in the container's profile, or the unit's "
				    "SystemCallFilter= and RestrictAddressFamilies=",
				    strerror(errno), name);
	if (fd < 0)
		return wm_error_set(error, errno, "interface %s cannot be read: %s", name,
				    wm_errno_text(errno));
	ret = read_interface(interface, fd, name, error);
	close(fd);
	return ret;
}

static int read_link(struct wm_host_link *link, struct ifreq *request, int fd)
{
	if (ioctl(fd, SIOCGIFNAME, request) < 0)
		return -errno;
	memcpy(link->name, request->ifr_name, sizeof(link->name));
	if (ioctl(fd, SIOCGIFFLAGS, request) < 0)
		return -errno;
	link->up = request->ifr_flags & IFF_UP;
	link->running = request->ifr_flags & IFF_RUNNING;
	if (ioctl(fd, SIOCGIFMTU, request) < 0)
		return -errno;
	link->interface.mtu = request->ifr_mtu > (int)WM_MTU_MAX ? WM_MTU_MAX
								 : (uint32_t)request->ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, request) < 0)
		return -errno;
	memcpy(link->interface.address, request->ifr_hwaddr.sa_data, WM_ETHER_ADDR_BYTES);
	return 0;
}

int wm_host_link_look(struct wm_host_link *link, unsigned index)
{
	struct ifreq request = { .ifr_ifindex = (int)index };
	int fd, ret;

	static_assert(sizeof(link->name) == sizeof(request.ifr_name), "IFNAMSIZ");
	*link = (struct wm_host_link){ .interface.index = index };
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ret = read_link(link, &request, fd);
	close(fd);
	return ret;
}

/* What begins with the command is what its driver answers. */
static bool ask_driver(const char *name, void *command)
{
	struct ifreq request = { .ifr_data = command };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool answered;

	if (fd < 0)
		return false;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	answered = ioctl(fd, SIOCETHTOOL, &request) == 0;
	close(fd);
	return answered;
}

uint32_t wm_host_receive_queues(const char *name)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	uint32_t count = 0;

	if (ask_driver(name, &channels))
		count = channels.rx_count + channels.combined_count;
	return count > 0 ? count : 1;
}

bool wm_host_is_veth(const char *name)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };

	return ask_driver(name, &driver) && strcmp(driver.driver, "veth") == 0;
}

/* ---- rights ------------------------------------------------------------- */

int wm_host_raise_memlock(size_t locked_bytes, struct wm_error *error)
{
	static const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit limit;

	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
		return 0;
	/* CAP_IPC_LOCK, which was checked before, is above the limit; but where the
	 * GPU's driver locks memory too, the limit should not be in its way. */
	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return wm_error_set(error, errno, "RLIMIT_MEMLOCK cannot be read: %s",
				    wm_errno_text(errno));
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < locked_bytes || setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return wm_error_set(error, ENOMEM,
				    "RLIMIT_MEMLOCK is %llu bytes, %zu are needed: raise it with "
				    "'ulimit -l' or LimitMEMLOCK=",
				    (unsigned long long)limit.rlim_max, locked_bytes);
	return 0;
}
