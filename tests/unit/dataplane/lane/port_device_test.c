/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "port_device.h"
#include "tree.h"
#include "wiremill/limits.h"

static struct wm_error said;

static int check(struct wm_port_device first, struct wm_port_device second)
{
	const struct wm_port_device devices[] = { first, second };

	said.text[0] = '\0';
	return wm_port_devices_check(devices, second.interface || second.pci || second.vdev ? 2 : 1,
				     &said);
}

#define DEVICE(...) ((struct wm_port_device){ __VA_ARGS__ })
#define NONE DEVICE(0)

static void different_devices_are_fine(void)
{
	CU_ASSERT_EQUAL(check(DEVICE(.pci = "05:00.0"), DEVICE(.pci = "05:00.1")), 0);
	CU_ASSERT_EQUAL(check(DEVICE(.interface = "a"), DEVICE(.interface = "b")), 0);
	CU_ASSERT_EQUAL(check(DEVICE(.vdev = "net_memif0,role=client"), DEVICE(.pci = "5:0.0")), 0);
}

static void one_device_is_not_taken_twice_however_it_is_written(void)
{
	CU_ASSERT_EQUAL(check(DEVICE(.pci = "05:00.0"), DEVICE(.pci = "0000:05:00.0")), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "05:00.0 and 0000:05:00.0 are the same"));
	CU_ASSERT_EQUAL(check(DEVICE(.pci = "5:0.0"), DEVICE(.pci = "0:05:00.0")), -EINVAL);
	CU_ASSERT_EQUAL(check(DEVICE(.interface = "a"), DEVICE(.interface = "a")), -EINVAL);
	CU_ASSERT_EQUAL(check(DEVICE(.vdev = "net_null0,size=64"), DEVICE(.vdev = "net_null0")),
			-EINVAL);
	/* The name that an interface's port gets. */
	CU_ASSERT_EQUAL(check(DEVICE(.interface = "a"), DEVICE(.vdev = "net_af_packet0,iface=b")),
			-EINVAL);
}

static void what_is_no_address_is_refused(void)
{
	CU_ASSERT_EQUAL(check(DEVICE(.pci = "00:05"), NONE), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "such as 0000:05:00.0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "not '00:05'"));
	CU_ASSERT_EQUAL(check(DEVICE(.pci = "nosuch0"), NONE), -EINVAL);
}

static void an_interface_has_its_own_mtu(void)
{
	CU_ASSERT_EQUAL(check(DEVICE(.interface = "a", .mtu = 1500), NONE), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "ip link set a mtu 1500"));
	CU_ASSERT_EQUAL(check(DEVICE(.pci = "05:00.0", .mtu = 1500), NONE), 0);
}

static void another_device_is_asked_for_what_was_given(void)
{
	uint16_t mtu;

	CU_ASSERT_EQUAL(wm_port_mtu(&DEVICE(.pci = "05:00.0", .mtu = 3506), &mtu, &said), 0);
	CU_ASSERT_EQUAL(mtu, 3506);
	CU_ASSERT_EQUAL(wm_port_mtu(&DEVICE(.vdev = "net_null0"), &mtu, &said), 0);
	CU_ASSERT_EQUAL(mtu, WM_MTU_MAX);
	CU_ASSERT_EQUAL(wm_port_mtu(&DEVICE(.interface = "nosuch0"), &mtu, &said), -ENODEV);
}

static void an_interface_that_is_no_ethernet_is_refused(void)
{
	uint16_t mtu;

	CU_ASSERT_EQUAL(wm_port_mtu(&DEVICE(.interface = "lo"), &mtu, &said), -ENOTSUP);
	CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "interface lo is no Ethernet"));
}

static void sysfs_tells_where_a_device_is(void)
{
	const char *root = tree_make();

	tree_file("1\n", "/sys/bus/pci/devices/0000:05:00.0/numa_node");
	tree_file("-1\n", "/sys/bus/pci/devices/0000:06:00.0/numa_node");
	tree_link("../../../bus/pci/devices/0000:05:00.0", "/sys/class/net/eth3/device");
	tree_folder("/sys/class/net/veth0");
	CU_ASSERT_EQUAL(wm_port_device_node(root, &DEVICE(.pci = "5:0.0")), 1);
	CU_ASSERT_EQUAL(wm_port_device_node(root, &DEVICE(.pci = "6:0.0")), -1);
	CU_ASSERT_EQUAL(wm_port_device_node(root, &DEVICE(.interface = "eth3")), 1);
	CU_ASSERT_EQUAL(wm_port_device_node(root, &DEVICE(.interface = "veth0")), -1);
	CU_ASSERT_EQUAL(wm_port_device_node(root, &DEVICE(.vdev = "net_null0")), -1);
	CU_ASSERT_TRUE(wm_port_device_is_physical(root, &DEVICE(.interface = "eth3")));
	CU_ASSERT_FALSE(wm_port_device_is_physical(root, &DEVICE(.interface = "veth0")));
	tree_remove();
}

static void a_card_gets_the_ring_that_its_mtu_asks_for_and_a_veth_a_backlogs(void)
{
	const char *root = tree_make();
	const struct wm_port_device card = DEVICE(.interface = "eth3");

	tree_folder("/sys/bus/pci/devices/0000:05:00.0");
	tree_link("../../../bus/pci/devices/0000:05:00.0", "/sys/class/net/eth3/device");
	tree_folder("/sys/class/net/veth0");
	CU_ASSERT_EQUAL(wm_port_device_packet_frames(root, &card, 1500), 8192);
	CU_ASSERT_EQUAL(wm_port_device_packet_frames(root, &card, 9000), 2048);
	CU_ASSERT_EQUAL(wm_port_device_packet_frames(root, &DEVICE(.interface = "veth0"), 1500),
			1024);
	tree_remove();
}

static void a_vdev_has_the_ring_of_its_argument_or_its_drivers(void)
{
	const char *vdev = "net_af_packet0,iface=a,framecnt=4096,qdisc_bypass=1";

	CU_ASSERT_EQUAL(wm_port_device_packet_frames("", &DEVICE(.vdev = vdev), 1500), 4096);
	vdev = "net_af_packet0,iface=a";
	CU_ASSERT_EQUAL(wm_port_device_packet_frames("", &DEVICE(.vdev = vdev), 1500), 512);
	vdev = "net_af_packet0,iface=a,framecnt=many";
	CU_ASSERT_EQUAL(wm_port_device_packet_frames("", &DEVICE(.vdev = vdev), 1500), 512);
}

static const struct wm_test tests[] = {
	WM_TEST(different_devices_are_fine),
	WM_TEST(one_device_is_not_taken_twice_however_it_is_written),
	WM_TEST(what_is_no_address_is_refused),
	WM_TEST(an_interface_has_its_own_mtu),
	WM_TEST(another_device_is_asked_for_what_was_given),
	WM_TEST(an_interface_that_is_no_ethernet_is_refused),
	WM_TEST(sysfs_tells_where_a_device_is),
	WM_TEST(a_card_gets_the_ring_that_its_mtu_asks_for_and_a_veth_a_backlogs),
	WM_TEST(a_vdev_has_the_ring_of_its_argument_or_its_drivers),
};

int main(void)
{
	return WM_TESTS_RUN("port_device", tests);
}
