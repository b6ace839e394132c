/* SPDX-License-Identifier: BSD-3-Clause */
/* The MTU that a port gets of a device that does not take what it is asked for. The device
 * is this file's: it takes the place of DPDK's calls. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "harness.h"
#include "port_mtu.h"

static struct {
	uint16_t mtu, takes_most;
	uint16_t asked[4];
	uint32_t asked_count;
	bool says; /* what its MTU is */
} device;
static struct wm_port port;
static struct wm_error said;

int rte_eth_dev_set_mtu(uint16_t id, uint16_t mtu)
{
	(void)id;
	device.asked[device.asked_count++ % 4] = mtu;
	if (mtu > device.takes_most)
		return -EINVAL;
	device.mtu = mtu;
	return 0;
}

int rte_eth_dev_get_mtu(uint16_t id, uint16_t *mtu)
{
	(void)id;
	*mtu = device.mtu;
	return device.says ? 0 : -ENODEV;
}

static void device_set(uint16_t mtu, uint16_t takes_most)
{
	memset(&device, 0, sizeof(device));
	device.mtu = mtu;
	device.takes_most = takes_most;
	device.says = true;
}

/* Of a port whose memory is for 9000, on a device that says mtu_max. */
static int obtain(const char *driver, uint16_t mtu_max, uint16_t wanted)
{
	port = (struct wm_port){ .mtu = 9000, .name = "0000:05:00.0" };
	snprintf(port.driver, sizeof(port.driver), "%s", driver);
	said.text[0] = '\0';
	return wm_port_obtain_mtu(&port, mtu_max, wanted, &said);
}

static void a_device_gets_what_is_asked_for(void)
{
	device_set(1500, 9216);
	CU_ASSERT_EQUAL(obtain("net_ixgbe", 9216, 9000), 0);
	CU_ASSERT_EQUAL(port.mtu, 9000);
	CU_ASSERT_EQUAL(device.mtu, 9000);
	CU_ASSERT_EQUAL(device.asked_count, 1);
}

static void else_the_largest_that_it_says_it_has(void)
{
	device_set(1500, 4074);
	CU_ASSERT_EQUAL(obtain("net_e1000_em", 4074, 0), 0);
	CU_ASSERT_EQUAL(device.asked_count, 2);
	CU_ASSERT_EQUAL(device.asked[1], 4074);
	CU_ASSERT_EQUAL(port.mtu, 4074);
	CU_ASSERT_EQUAL(device.mtu, 4074);
}

static void or_what_it_has_where_it_takes_none(void)
{
	device_set(1500, 0);
	CU_ASSERT_EQUAL(obtain("net_bogus", 4074, 0), 0);
	CU_ASSERT_EQUAL(port.mtu, 1500);
	/* It says that it could, and does not. */
	device_set(1500, 0);
	CU_ASSERT_EQUAL(obtain("net_bogus", 9216, 0), 0);
	CU_ASSERT_EQUAL(device.asked_count, 1);
	CU_ASSERT_EQUAL(port.mtu, 1500);
	/* It has more than the memory is for. */
	device_set(9600, 0);
	CU_ASSERT_EQUAL(obtain("net_bogus", 9600, 0), 0);
	CU_ASSERT_EQUAL(port.mtu, 9000);
}

static void less_than_was_wanted_is_refused_with_what_it_takes(void)
{
	device_set(1500, 4074);
	CU_ASSERT_EQUAL(obtain("net_e1000_em", 4074, 9000), -EMSGSIZE);
	CU_ASSERT_STRING_EQUAL(said.text, "port 0000:05:00.0 (net_e1000_em) takes no MTU of 9000, "
					  "4074 at most: give --mtu 4074");
	CU_ASSERT_EQUAL(port.mtu, 9000);
}

static void less_than_a_control_frame_takes_is_refused(void)
{
	device_set(576, 576);
	CU_ASSERT_EQUAL(obtain("net_bogus", 576, 0), -EMSGSIZE);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "has an MTU of 576 and takes no larger one"));
	device_set(1500, 0);
	device.says = false;
	CU_ASSERT_EQUAL(obtain("net_bogus", 9216, 0), -EMSGSIZE);
}

static void a_netdev_and_a_memif_are_not_asked(void)
{
	device_set(1500, 0);
	CU_ASSERT_EQUAL(obtain("net_af_packet", 1500, 0), 0);
	CU_ASSERT_EQUAL(obtain("net_memif", 1500, 0), 0);
	CU_ASSERT_EQUAL(port.mtu, 9000);
	CU_ASSERT_EQUAL(device.asked_count, 0);
}

static const struct wm_test tests[] = {
	WM_TEST(a_device_gets_what_is_asked_for),
	WM_TEST(else_the_largest_that_it_says_it_has),
	WM_TEST(or_what_it_has_where_it_takes_none),
	WM_TEST(less_than_was_wanted_is_refused_with_what_it_takes),
	WM_TEST(less_than_a_control_frame_takes_is_refused),
	WM_TEST(a_netdev_and_a_memif_are_not_asked),
};

int main(void)
{
	return WM_TESTS_RUN("port_mtu", tests);
}
