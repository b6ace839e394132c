/* SPDX-License-Identifier: BSD-3-Clause */
/* Each thing that may be in the way of a card, in a /sys of its own. */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "pci_sysfs.h"
#include "tree.h"

#define CARD "/sys/bus/pci/devices/0000:05:00.0"
#define OTHER "/sys/bus/pci/devices/0000:05:00.1"

static const char *root;
static struct wm_error said;

static int check(const char *text)
{
	struct wm_pci_address address;

	CU_ASSERT_EQUAL_FATAL(wm_pci_address_parse(&address, text), 0);
	said.text[0] = '\0';
	return wm_pci_check(root, &address, &said);
}

static void says(const char *words)
{
	if (!strstr(said.text, words)) {
		CU_FAIL("the line does not say it");
		printf("# '%s' does not say '%s'\n", said.text, words);
	}
}

/* A card in group 7, on vfio-pci: as it should be. */
static void machine_make(void)
{
	root = tree_make();
	tree_file("0x020000\n", CARD "/class");
	tree_link("../../../../kernel/iommu_groups/7", CARD "/iommu_group");
	tree_link("../../../../bus/pci/devices/0000:05:00.0",
		  "/sys/kernel/iommu_groups/7/devices/0000:05:00.0");
	tree_link("../../../../bus/pci/drivers/vfio-pci", CARD "/driver");
	tree_file("", "/dev/vfio/7");
}

static void driver_is(const char *driver)
{
	tree_drop(CARD "/driver");
	tree_link(driver, CARD "/driver");
}

static void a_card_on_vfio_behind_an_iommu_is_fine(void)
{
	machine_make();
	CU_ASSERT_EQUAL(check("0000:05:00.0"), 0);
	CU_ASSERT_EQUAL(check("5:0.0"), 0);
	tree_remove();
}

static void where_there_is_none_those_that_are_here_are_named(void)
{
	machine_make();
	CU_ASSERT_EQUAL(check("0000:06:00.0"), -ENODEV);
	says("no PCI device 0000:06:00.0");
	says("network cards are at 0000:05:00.0");
	tree_drop("/sys/bus/pci/devices/0000:05:00.0");
	check("0000:06:00.0");
	says("no network card at all");
	tree_drop("/sys/bus");
	check("0000:06:00.0");
	says("no PCI bus");
	tree_remove();
}

static void a_disk_is_no_card(void)
{
	machine_make();
	tree_file("0x010802\n", "/sys/bus/pci/devices/0000:04:00.0/class");
	CU_ASSERT_EQUAL(check("0000:04:00.0"), -ENODEV);
	says("0000:04:00.0 is no network card (class 0x010802)");
	says("0000:05:00.0");
	tree_remove();
}

static void an_unbound_card_gets_the_command_that_binds_it(void)
{
	machine_make();
	tree_drop(CARD "/driver");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), -ENXIO);
	says("bound to no driver: run 'modprobe vfio-pci; echo vfio-pci > "
	     "/sys/bus/pci/devices/0000:05:00.0/driver_override; echo 0000:05:00.0 > "
	     "/sys/bus/pci/drivers_probe' as root");
	tree_remove();
}

static void a_card_of_the_kernel_is_unbound_first_or_named_by_its_interface(void)
{
	machine_make();
	driver_is("../../../../bus/pci/drivers/e1000e");
	tree_folder(CARD "/net/eth3");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), -ENXIO);
	says("is the kernel's (driver e1000e)");
	says("echo 0000:05:00.0 > /sys/bus/pci/devices/0000:05:00.0/driver/unbind; ");
	says("or give --interface eth3");
	tree_remove();
}

static void so_is_one_of_virtio(void)
{
	machine_make();
	driver_is("../../../../bus/pci/drivers/virtio-pci");
	tree_folder(CARD "/virtio2/net/eth0");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), -ENXIO);
	says("is the kernel's (driver virtio-pci)");
	says("driver/unbind");
	says("or give --interface eth0");
	tree_remove();
}

static void uio_is_refused_since_it_passes_the_iommu_by(void)
{
	machine_make();
	driver_is("../../../../bus/pci/drivers/uio_pci_generic");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), -ENXIO);
	says("uio_pci_generic");
	says("virtual address");
	says("driver/unbind");
	tree_remove();
}

static void without_an_iommu_nothing_helps_but_the_firmware(void)
{
	machine_make();
	tree_drop(CARD "/iommu_group");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), -ENXIO);
	says("has no IOMMU");
	says("intel_iommu=on");
	/* What VFIO makes where it is told to do without. */
	tree_link("../../../../kernel/iommu_groups/7", CARD "/iommu_group");
	tree_file("vfio-noiommu\n", "/sys/kernel/iommu_groups/7/name");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), -ENXIO);
	says("has no IOMMU");
	tree_remove();
}

static void who_shares_its_group_is_named(void)
{
	machine_make();
	tree_file("0x020000\n", OTHER "/class");
	tree_link("../../../../bus/pci/drivers/e1000e", OTHER "/driver");
	tree_link("../../../../bus/pci/devices/0000:05:00.1",
		  "/sys/kernel/iommu_groups/7/devices/0000:05:00.1");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), -ENXIO);
	says("group 7 with 0000:05:00.1 (driver e1000e)");
	says("/sys/bus/pci/devices/0000:05:00.1/driver/unbind");
	/* A bridge is in no way. */
	tree_file("0x060400\n", OTHER "/class");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), 0);
	tree_remove();
}

static void a_group_that_may_not_be_opened_is_said(void)
{
	machine_make();
	tree_drop("/dev/vfio");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), -ENXIO);
	says("there is no /dev/vfio/7");
	tree_remove();
}

static void drivers_that_share_their_card_with_the_kernel_stay(void)
{
	machine_make();
	driver_is("../../../../bus/pci/drivers/mlx5_core");
	tree_drop(CARD "/iommu_group");
	CU_ASSERT_EQUAL(check("0000:05:00.0"), 0);
	tree_remove();
}

static void an_interface_is_told_its_address(void)
{
	char text[WM_PCI_TEXT_BYTES];

	machine_make();
	tree_folder(CARD "/net/eth3");
	tree_link("../../../bus/pci/devices/0000:05:00.0", "/sys/class/net/eth3/device");
	tree_folder(CARD "/virtio2/net/eth0");
	tree_link("../../../bus/pci/devices/0000:05:00.0/virtio2", "/sys/class/net/eth0/device");
	tree_folder("/sys/class/net/lo");
	CU_ASSERT_EQUAL(wm_pci_find_interface(root, "eth3", text), 0);
	CU_ASSERT_STRING_EQUAL(text, "0000:05:00.0");
	CU_ASSERT_EQUAL(wm_pci_find_interface(root, "eth0", text), 0);
	CU_ASSERT_STRING_EQUAL(text, "0000:05:00.0");
	CU_ASSERT_EQUAL(wm_pci_find_interface(root, "lo", text), -ENOENT);
	CU_ASSERT_EQUAL(wm_pci_find_interface(root, "../../../eth3", text), -ENOENT);
	tree_remove();
}

static const struct wm_test tests[] = {
	WM_TEST(a_card_on_vfio_behind_an_iommu_is_fine),
	WM_TEST(where_there_is_none_those_that_are_here_are_named),
	WM_TEST(a_disk_is_no_card),
	WM_TEST(an_unbound_card_gets_the_command_that_binds_it),
	WM_TEST(a_card_of_the_kernel_is_unbound_first_or_named_by_its_interface),
	WM_TEST(so_is_one_of_virtio),
	WM_TEST(uio_is_refused_since_it_passes_the_iommu_by),
	WM_TEST(without_an_iommu_nothing_helps_but_the_firmware),
	WM_TEST(who_shares_its_group_is_named),
	WM_TEST(a_group_that_may_not_be_opened_is_said),
	WM_TEST(drivers_that_share_their_card_with_the_kernel_stay),
	WM_TEST(an_interface_is_told_its_address),
};

int main(void)
{
	return WM_TESTS_RUN("pci_sysfs", tests);
}
