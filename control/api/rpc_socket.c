/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wiremill/limits.h"

static int address_set(struct sockaddr_un *address, const char *path, struct wm_error *error)
{
	size_t bytes = strlen(path);

	if (bytes == 0 || bytes >= sizeof(address->sun_path))
		return wm_error_set(error, ENAMETOOLONG,
				    "socket path '%s' has %zu bytes, and must have 1 to %zu", path,
				    bytes, sizeof(address->sun_path) - 1);
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, bytes + 1);
	return 0;
}

/* The directory of path, made if it is missing, and locked: two daemons that
 * start at once must not both take the other's new socket for a dead one. */
static int directory_lock(const char *path, struct wm_error *error)
{
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 2];
	const char *slash = strrchr(path, '/');
	size_t bytes = slash ? (size_t)(slash - path) + 1 : 2;
	int fd;

	memcpy(directory, slash ? path : "./", bytes);
	directory[bytes] = '\0';
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		goto failed;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		goto failed;
	if (flock(fd, LOCK_EX) == 0)
		return fd;
	close(fd);
failed:
	return wm_error_set(error, errno, "no directory for the control socket at %s: %s",
			    directory, wm_errno_text(errno));
}

/* 0: somebody listens there; -EAGAIN: and is busy; -ECONNREFUSED: nobody. */
static int path_probe(const struct sockaddr_un *address)
{
	int ret, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	ret = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* 0: nothing is there; 1: what a dead daemon left. Refuses everything else. */
static int path_look(const struct sockaddr_un *address, struct wm_error *error)
{
	const char *path = address->sun_path;
	struct stat status;
	int ret;

	if (lstat(path, &status) < 0)
		return errno == ENOENT
			       ? 0
			       : wm_error_set(error, errno, "%s: %s", path, wm_errno_text(errno));
	if (!S_ISSOCK(status.st_mode))
		return wm_error_set(error, EEXIST,
				    "%s exists and is no socket: remove it, or name another "
				    "control socket",
				    path);
	ret = path_probe(address);
	if (ret == 0 || ret == -EAGAIN)
		return wm_error_set(error, EADDRINUSE,
				    "another wiremilld answers at %s: stop it, or name another "
				    "control socket",
				    path);
	if (ret != -ECONNREFUSED)
		return wm_error_set(error, -ret, "socket %s belongs to something else: %s", path,
				    wm_errno_text(-ret));
	return 1;
}

static int path_clear(const struct sockaddr_un *address, struct wm_error *error)
{
	const char *path = address->sun_path;
	int ret = path_look(address, error);

	if (ret > 0 && unlink(path) < 0)
		return wm_error_set(error, errno, "old socket %s cannot be removed: %s", path,
				    wm_errno_text(errno));
	return ret < 0 ? ret : 0;
}

int wm_rpc_socket_check(const char *path, struct wm_error *error)
{
	struct sockaddr_un address = { 0 };
	int ret = address_set(&address, path, error);

	if (ret == 0)
		ret = path_look(&address, error);
	return ret < 0 ? ret : 0;
}

static int socket_listen(struct wm_rpc_socket *file, struct wm_error *error)
{
	const struct sockaddr *address = (const struct sockaddr *)&file->address;
	const char *path = file->address.sun_path;
	struct stat status;
	int ret;

	file->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (file->fd < 0 || bind(file->fd, address, sizeof(file->address)) < 0)
		return wm_error_set(error, errno, "no control socket at %s: %s", path,
				    wm_errno_text(errno));
	/* Nobody connects before listen, so there is no moment of a wider mode. */
	if (lstat(path, &status) < 0 || chmod(path, 0660) < 0 ||
	    listen(file->fd, (int)WM_RPC_CLIENTS_MAX) < 0) {
		ret = wm_error_set(error, errno, "control socket at %s: %s", path,
				   wm_errno_text(errno));
		unlink(path);
		return ret;
	}
	file->device = status.st_dev;
	file->inode = status.st_ino;
	return 0;
}

int wm_rpc_socket_open(struct wm_rpc_socket *file, const char *path, struct wm_error *error)
{
	int directory, ret;

	*file = (struct wm_rpc_socket){ .fd = -1 };
	ret = address_set(&file->address, path, error);
	if (ret < 0)
		return ret;
	directory = directory_lock(path, error);
	if (directory < 0)
		return directory;
	ret = path_clear(&file->address, error);
	if (ret == 0)
		ret = socket_listen(file, error);
	close(directory);
	return ret;
}

static bool is_named(const struct wm_rpc_socket *file)
{
	struct stat status;

	return file->inode && lstat(file->address.sun_path, &status) == 0 &&
	       status.st_ino == file->inode && status.st_dev == file->device;
}

/* Who listens there? A file that was made anew may have the number of the one before. */
static pid_t listener(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct ucred peer = { .pid = -1 };
	socklen_t bytes = sizeof(peer);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) < 0)
		peer.pid = -1;
	close(fd);
	return peer.pid;
}

int wm_rpc_socket_keep(struct wm_rpc_socket *file, struct wm_error *error)
{
	struct wm_rpc_socket again;
	int ret;

	if (is_named(file))
		return 0;
	ret = wm_rpc_socket_open(&again, file->address.sun_path, error);
	if (ret < 0) {
		wm_rpc_socket_close(&again);
		return ret;
	}
	close(file->fd);
	*file = again;
	return 1;
}

void wm_rpc_socket_close(struct wm_rpc_socket *file)
{
	bool ours = file->fd >= 0 && is_named(file) && listener(&file->address) == getpid();

	if (file->fd >= 0)
		close(file->fd);
	if (ours)
		unlink(file->address.sun_path);
	*file = (struct wm_rpc_socket){ .fd = -1 };
}
