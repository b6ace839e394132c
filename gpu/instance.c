/* SPDX-License-Identifier: BSD-3-Clause */
#include "instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "result.h"

#define LAYER_NAME "VK_LAYER_KHRONOS_validation"
/* One mistake on the poll path repeats with every submission. */
#define MESSAGES_LOGGED_MAX 8

/* What the loader is told by the environment; NULL: nothing. */
static const char *loader_variable(void)
{
	static const char *const names[] = { "VK_DRIVER_FILES", "VK_ICD_FILENAMES",
					     "VK_LOADER_DRIVERS_SELECT",
					     "VK_LOADER_DRIVERS_DISABLE" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (getenv(names[i]))
			return names[i];
	}
	return NULL;
}

int wm_instance_no_device(struct wm_error *error)
{
	const char *name = loader_variable();

	if (name)
		return wm_error_set(error, ENODEV,
				    "no Vulkan device: %s=%.200s leaves no driver that works: "
				    "unset it, so that an installed one is taken (Debian: "
				    "mesa-vulkan-drivers); VK_LOADER_DEBUG=all says more",
				    name, getenv(name));
	return wm_error_set(error, ENODEV,
			    "no Vulkan device: install a driver (Debian: mesa-vulkan-drivers, "
			    "which has a software device too), or see by VK_LOADER_DEBUG=all why "
			    "one that is there does not load");
}

static VKAPI_ATTR VkBool32 VKAPI_CALL
count_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT type,
	      const VkDebugUtilsMessengerCallbackDataEXT *data, void *user)
{
	struct wm_instance *instance = user;

	(void)type;
	if (atomic_fetch_add(&instance->messages, 1) < MESSAGES_LOGGED_MAX)
		wm_log(severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT ? WM_LOG_ERROR
										: WM_LOG_WARNING,
		       "vulkan validation: %s", data->pMessage);
	return VK_FALSE;
}

/* Not the GENERAL type: with it the loader's remarks on drivers that have no
 * hardware here would count as faults of ours. */
static VkDebugUtilsMessengerCreateInfoEXT messenger_info(struct wm_instance *instance)
{
	return (VkDebugUtilsMessengerCreateInfoEXT){
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
		.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
				   VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
		.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
			       VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
		.pfnUserCallback = count_message,
		.pUserData = instance,
	};
}

static bool has_layer(void)
{
	VkLayerProperties *layers;
	uint32_t count = 0;
	bool found = false;

	if (vkEnumerateInstanceLayerProperties(&count, NULL) != VK_SUCCESS || count == 0)
		return false;
	layers = calloc(count, sizeof(*layers));
	if (!layers)
		return false;
	if (vkEnumerateInstanceLayerProperties(&count, layers) == VK_SUCCESS) {
		for (uint32_t i = 0; i < count && !found; i++)
			found = strcmp(layers[i].layerName, LAYER_NAME) == 0;
	}
	free(layers);
	return found;
}

static int create_messenger(struct wm_instance *instance, struct wm_error *error)
{
	VkDebugUtilsMessengerCreateInfoEXT info = messenger_info(instance);
	PFN_vkCreateDebugUtilsMessengerEXT create =
		(PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(
			instance->handle, "vkCreateDebugUtilsMessengerEXT");

	if (!create)
		return wm_error_set(error, ENOTSUP,
				    "Vulkan: the validation layer has no VK_EXT_debug_utils");
	return wm_result_error(create(instance->handle, &info, NULL, &instance->messenger),
			       "vkCreateDebugUtilsMessengerEXT", error);
}

int wm_instance_init(struct wm_instance *instance, bool validate, struct wm_error *error)
{
	static const char *const layers[] = { LAYER_NAME };
	static const char *const extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME };
	VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_info(instance);
	VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "wiremill",
		.apiVersion = WM_VULKAN_VERSION,
	};
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		/* Also covers the creation and the end of the instance itself. */
		.pNext = validate ? &messenger : NULL,
		.pApplicationInfo = &application,
		.enabledLayerCount = validate ? 1 : 0,
		.ppEnabledLayerNames = layers,
		.enabledExtensionCount = validate ? 1 : 0,
		.ppEnabledExtensionNames = extensions,
	};
	VkResult result;
	int ret;

	*instance = (struct wm_instance){ 0 };
	if (validate && !has_layer())
		return wm_error_set(error, ENOTSUP,
				    "the Vulkan validation layer is asked for and not installed: "
				    "install Debian's vulkan-validationlayers");

	result = vkCreateInstance(&info, NULL, &instance->handle);
	if (result == VK_ERROR_INCOMPATIBLE_DRIVER || result == VK_ERROR_INITIALIZATION_FAILED)
		return wm_instance_no_device(error);
	ret = wm_result_error(result, "vkCreateInstance (VK_LOADER_DEBUG=all says more)", error);
	if (ret < 0)
		return ret;
	if (!validate)
		return 0;

	ret = create_messenger(instance, error);
	if (ret < 0)
		wm_instance_fini(instance);
	return ret;
}

void wm_instance_fini(struct wm_instance *instance)
{
	PFN_vkDestroyDebugUtilsMessengerEXT destroy;

	if (!instance->handle)
		return;
	if (instance->messenger) {
		destroy = (PFN_vkDestroyDebugUtilsMessengerEXT)vkGetInstanceProcAddr(
			instance->handle, "vkDestroyDebugUtilsMessengerEXT");
		destroy(instance->handle, instance->messenger, NULL);
	}
	vkDestroyInstance(instance->handle, NULL);
	instance->handle = VK_NULL_HANDLE;
	instance->messenger = VK_NULL_HANDLE;
}
