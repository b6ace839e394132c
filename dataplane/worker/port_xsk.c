/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_xsk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#include "log.h"
#include "rights.h"
#include "xdp/host.h"

/* Newer than Debian 12's headers (linux/if_xdp.h of 6.6). */
#define BIND_USE_SG (1u << 4)
#define DESC_CONTINUES (1u << 0)

#define QUEUE 0
#define REGION_ALIGN_BYTES (2u * 1024u * 1024u)
/* The socket; attaching, binding; loading; registering the UMEM. */
#define RIGHTS (WM_RIGHT_NET_RAW | WM_RIGHT_NET_ADMIN | WM_RIGHT_BPF | WM_RIGHT_IPC_LOCK)
#define PIECE_BYTES_MAX (WM_UMEM_CHUNK_BYTES - WM_UMEM_HEADROOM_BYTES)
/* The kernel lets go of the queue of a process that ended a moment later. */
#define BUSY_RETRIES 40
#define BUSY_PAUSE_US 50000
/* What the kernel may hold for the peer: all groups, at three times their bytes,
 * since it counts whole pages. The default holds a dozen jumbo frames. */
#define SEND_BUFFER_BYTES (3u * WM_XSK_TX_CHUNKS * WM_UMEM_CHUNK_BYTES)
/* Kept out of the capacity: groups for control frames and echoes. */
#define CONTROL_GROUPS 16u
/* The kernel hands a frame over before it says that it has taken the chunks from the
 * fill ring: whoever gives them back in that instant needs room beside those. */
#define FILL_ENTRIES (2u * WM_XSK_RX_CHUNKS)

static_assert(WM_XSK_MEMORY_BYTES % REGION_ALIGN_BYTES == 0, "as the executor wants it");
static_assert((WM_XSK_RX_CHUNKS & (WM_XSK_RX_CHUNKS - 1)) == 0, "a ring's size");
static_assert((WM_XSK_TX_CHUNKS & (WM_XSK_TX_CHUNKS - 1)) == 0, "a ring's size");
static_assert(WM_NODE_WINDOW_MAX * 1538u >= WM_NODE_IN_FLIGHT_BYTES, "limits.h");
static_assert(WM_XSK_TX_CHUNKS >= WM_NODE_WINDOW_MAX + CONTROL_GROUPS, "the window leaves");
static_assert(WM_XSK_GROUP_PAYLOAD % 16 == 0, "rows are aligned");
static_assert((WM_UMEM_HEADROOM_BYTES + WM_XSK_PIECE_PAYLOAD) % 32 == 0, "vectors are aligned");
static_assert(PIECE_BYTES_MAX % 32 == 0, "no vector lies in two chunks");

struct wm_xsk {
	uint8_t *memory;
	struct wm_host_interface interface;
	struct wm_xdp_program program;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons rx, completion;
	bool zero_copy;
	bool veth;
	uint32_t frame_chunks; /* that a frame of its MTU takes, either way */

	/* Free groups, as a stack; chunks of each that the kernel still has. */
	uint16_t free_groups[WM_XSK_TX_CHUNKS];
	uint32_t group_count, free_count;
	uint8_t chunks_sent[WM_XSK_TX_CHUNKS];

	/* Of a frame that is being skipped, since it has too many pieces. */
	bool skipping;
	uint64_t frames_received, frames_sent, oversize;
};

/* ---- opening ------------------------------------------------------------ */

/* Anonymous, private and on a boundary of 2 MiB: what every GPU driver imports.
 * It must not be copied for a child, whose writes would part it from the GPU. */
static int map_region(struct wm_xsk *xsk, struct wm_error *error)
{
	size_t reserved = WM_XSK_MEMORY_BYTES + REGION_ALIGN_BYTES;
	uint8_t *start, *aligned;

	start = mmap(NULL, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		return wm_rights_explain(wm_error_set(error, ENOMEM,
						      "no memory for %u bytes of frames",
						      WM_XSK_MEMORY_BYTES),
					 error);
	aligned = (uint8_t *)(((uintptr_t)start + REGION_ALIGN_BYTES - 1) &
			      ~(uintptr_t)(REGION_ALIGN_BYTES - 1));
	if (aligned > start)
		munmap(start, (size_t)(aligned - start));
	munmap(aligned + WM_XSK_MEMORY_BYTES,
	       (size_t)(start + reserved - aligned) - WM_XSK_MEMORY_BYTES);

	/* Huge pages are a wish; a kernel without them has small ones. */
	(void)madvise(aligned, WM_XSK_MEMORY_BYTES, MADV_HUGEPAGE);
	if (madvise(aligned, WM_XSK_MEMORY_BYTES, MADV_DONTFORK) < 0) {
		munmap(aligned, WM_XSK_MEMORY_BYTES);
		return wm_error_set(error, errno, "MADV_DONTFORK: %s", wm_errno_text(errno));
	}
	memset(aligned, 0, WM_XSK_MEMORY_BYTES); /* populates it */
	xsk->memory = aligned;
	return 0;
}

static void fill_fill_ring(struct wm_xsk *xsk)
{
	uint32_t index, given;

	given = xsk_ring_prod__reserve(&xsk->fill, WM_XSK_RX_CHUNKS, &index);
	assert(given == WM_XSK_RX_CHUNKS);
	for (uint32_t i = 0; i < given; i++)
		*xsk_ring_prod__fill_addr(&xsk->fill, index + i) = (uint64_t)i *
								   WM_UMEM_CHUNK_BYTES;
	xsk_ring_prod__submit(&xsk->fill, given);
}

static int create_umem(struct wm_xsk *xsk)
{
	const struct xsk_umem_config config = {
		.fill_size = FILL_ENTRIES,
		.comp_size = WM_XSK_TX_CHUNKS,
		.frame_size = WM_UMEM_CHUNK_BYTES,
	};

	return xsk_umem__create(&xsk->umem, xsk->memory, WM_XSK_MEMORY_BYTES, &xsk->fill,
				&xsk->completion, &config);
}

static int create_socket(struct wm_xsk *xsk, const char *name)
{
	/* Copy mode is asked for: the kernel's copy puts a payload where the GPU can
	 * work on it in place; a card that writes the chunk itself would not, and
	 * the copy would be this program's. */
	const struct xsk_socket_config config = {
		.rx_size = WM_XSK_RX_CHUNKS,
		.tx_size = WM_XSK_TX_CHUNKS,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = (uint16_t)(XDP_COPY | XDP_USE_NEED_WAKEUP |
					 (xsk->frame_chunks > 1 ? BIND_USE_SG : 0)),
	};

	return xsk_socket__create(&xsk->socket, name, QUEUE, xsk->umem, &xsk->rx, &xsk->tx,
				  &config);
}

static int create_both(struct wm_xsk *xsk, const char *name)
{
	int ret = create_umem(xsk);

	if (ret < 0)
		return ret;
	ret = create_socket(xsk, name);
	if (ret < 0)
		xsk_umem__delete(xsk->umem);
	return ret;
}

static int open_socket(struct wm_xsk *xsk, const char *name, struct wm_error *error)
{
	int ret = -EBUSY;

	for (unsigned i = 0; i < BUSY_RETRIES && ret == -EBUSY; i++) {
		ret = create_both(xsk, name);
		if (ret == -EBUSY)
			usleep(BUSY_PAUSE_US);
	}
	if (ret == 0)
		return 0;
	if (ret == -EBUSY)
		return wm_error_set(error, EBUSY,
				    "queue %d of interface %s is taken by another AF_XDP socket: "
				    "stop its program ('ss -f xdp' lists them)",
				    QUEUE, name);
	if (ret == -EINVAL && xsk->frame_chunks > 1)
		return wm_error_set(
			error, EINVAL,
			"AF_XDP on %s cannot carry frames of MTU %u (multi-buffer needs "
			"Linux 6.6): set an MTU of %u or less",
			name, xsk->interface.mtu,
			PIECE_BYTES_MAX + WM_XDP_TRIM_BYTES - WM_ETHER_HEADER_BYTES);
	if ((ret == -EPERM || ret == -EAFNOSUPPORT) && wm_rights_are_filtered())
		return wm_error_set(error, -ret,
				    "a seccomp filter forbids AF_XDP sockets: allow them in the "
				    "container's profile, or the unit's SystemCallFilter= and "
				    "RestrictAddressFamilies=");
	if (ret == -EAFNOSUPPORT)
		return wm_error_set(error, EAFNOSUPPORT,
				    "this kernel has no AF_XDP sockets: one with "
				    "CONFIG_XDP_SOCKETS=y is needed");
	return wm_error_set(error, -ret, "an AF_XDP socket cannot be opened on %s: %s", name,
			    wm_errno_text(-ret));
}

static void close_socket(struct wm_xsk *xsk)
{
	xsk_socket__delete(xsk->socket);
	xsk_umem__delete(xsk->umem);
}

static void ask_zero_copy(struct wm_xsk *xsk)
{
	struct xdp_options options = { 0 };
	socklen_t bytes = sizeof(options);

	if (getsockopt(xsk_socket__fd(xsk->socket), SOL_XDP, XDP_OPTIONS, &options, &bytes) == 0)
		xsk->zero_copy = options.flags & XDP_OPTIONS_ZEROCOPY;
}

static void raise_send_buffer(struct wm_xsk *xsk)
{
	int bytes = SEND_BUFFER_BYTES;

	if (setsockopt(xsk_socket__fd(xsk->socket), SOL_SOCKET, SO_SNDBUFFORCE, &bytes,
		       sizeof(bytes)) < 0)
		wm_log_warning("the send buffer stays small: %s", strerror(errno));
}

static int open_on(struct wm_xsk *xsk, const struct wm_xsk_config *config, struct wm_error *error)
{
	const char *name = config->interface;
	int ret;

	ret = map_region(xsk, error);
	if (ret < 0)
		return ret;
	ret = wm_xdp_program_attach(&xsk->program, name, &xsk->interface, config->mode, error);
	if (ret < 0)
		goto unmap_region;
	ret = open_socket(xsk, name, error);
	if (ret < 0)
		goto detach_program;
	raise_send_buffer(xsk);
	ask_zero_copy(xsk);
	fill_fill_ring(xsk);
	ret = wm_xdp_program_connect(&xsk->program, QUEUE, xsk_socket__fd(xsk->socket), error);
	if (ret < 0)
		goto close_socket;
	return 0;

close_socket:
	close_socket(xsk);
detach_program:
	wm_xdp_program_detach(&xsk->program);
unmap_region:
	munmap(xsk->memory, WM_XSK_MEMORY_BYTES);
	return ret;
}

static void cut_groups(struct wm_xsk *xsk)
{
	uint32_t frame = xsk->interface.mtu + WM_ETHER_HEADER_BYTES - WM_XDP_TRIM_BYTES;

	xsk->frame_chunks = (frame + PIECE_BYTES_MAX - 1) / PIECE_BYTES_MAX;
	xsk->group_count = WM_XSK_TX_CHUNKS / xsk->frame_chunks;
	for (uint32_t i = 0; i < xsk->group_count; i++)
		xsk->free_groups[xsk->free_count++] = (uint16_t)(xsk->group_count - 1 - i);
}

int wm_xsk_open(struct wm_xsk **out, const struct wm_xsk_config *config, struct wm_error *error)
{
	struct wm_xsk *xsk;
	int ret;

	xsk = calloc(1, sizeof(*xsk));
	if (!xsk)
		return wm_error_set(error, ENOMEM, "no memory for a port");
	ret = wm_host_interface_find(&xsk->interface, config->interface, error);
	if (ret == 0)
		ret = wm_rights_check(RIGHTS, "an AF_XDP socket", error);
	if (ret == 0)
		ret = wm_host_raise_memlock(WM_XSK_MEMORY_BYTES, error);
	if (ret < 0)
		goto free_port;

	xsk->veth = wm_host_is_veth(config->interface);
	cut_groups(xsk);
	ret = open_on(xsk, config, error);
	if (ret < 0)
		goto free_port;
	*out = xsk;
	return 0;

free_port:
	free(xsk);
	return ret;
}

void wm_xsk_close(struct wm_xsk **port)
{
	struct wm_xsk *xsk = *port;

	if (!xsk)
		return;
	/* The program first: no frame comes for a socket that is gone. */
	wm_xdp_program_detach(&xsk->program);
	close_socket(xsk);
	munmap(xsk->memory, WM_XSK_MEMORY_BYTES);
	free(xsk);
	*port = NULL;
}

/* ---- what it is --------------------------------------------------------- */

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t capacity(const struct wm_xsk *xsk)
{
	return smaller(
		xsk->veth ? WM_NODE_WINDOW_VETH : WM_NODE_WINDOW_MAX,
		smaller(WM_XSK_RX_CHUNKS / xsk->frame_chunks, xsk->group_count - CONTROL_GROUPS));
}

void wm_xsk_get_obtained(const struct wm_xsk *xsk, struct wm_xsk_obtained *obtained)
{
	*obtained = (struct wm_xsk_obtained){
		.native = xsk->program.native,
		.zero_copy = xsk->zero_copy,
		.multi_buffer = xsk->frame_chunks > 1,
		.mtu = xsk->interface.mtu,
		.index = xsk->interface.index,
		.capacity = capacity(xsk),
	};
	memcpy(obtained->address, xsk->interface.address, WM_ETHER_ADDR_BYTES);
}

void wm_xsk_read_counters(const struct wm_xsk *xsk, struct wm_xsk_counters *counters)
{
	struct xdp_statistics kernel = { 0 };
	socklen_t bytes = sizeof(kernel);

	(void)getsockopt(xsk_socket__fd(xsk->socket), SOL_XDP, XDP_STATISTICS, &kernel, &bytes);
	*counters = (struct wm_xsk_counters){
		.frames_received = xsk->frames_received,
		.frames_sent = xsk->frames_sent,
		.oversize = xsk->oversize,
		.kernel_drops = kernel.rx_dropped + kernel.rx_ring_full,
	};
	counters->unheard = wm_xdp_program_unheard(&xsk->program, &counters->unheard_queue);
}

uint8_t *wm_xsk_memory(const struct wm_xsk *xsk)
{
	return xsk->memory;
}

int wm_xsk_fd(const struct wm_xsk *xsk)
{
	return xsk_socket__fd(xsk->socket);
}

/* ---- arriving ----------------------------------------------------------- */

static void recycle_chunk(struct wm_xsk *xsk, uint64_t address)
{
	uint32_t index, given;

	/* The ring has room for every chunk there is, twice. */
	given = xsk_ring_prod__reserve(&xsk->fill, 1, &index);
	assert(given == 1);
	*xsk_ring_prod__fill_addr(&xsk->fill, index) = address &
						       ~(uint64_t)(WM_UMEM_CHUNK_BYTES - 1);
	xsk_ring_prod__submit(&xsk->fill, given);
}

void wm_xsk_recycle(struct wm_xsk *xsk, const struct wm_xsk_frame *frame)
{
	for (uint32_t i = 0; i < frame->count; i++)
		recycle_chunk(xsk, frame->pieces[i].offset);
}

/* Adds one descriptor to the frame. Returns whether it was the frame's last. */
static bool take_piece(struct wm_xsk *xsk, struct wm_xsk_frame *frame, const struct xdp_desc *desc)
{
	bool last = !(desc->options & DESC_CONTINUES);

	if (!xsk->skipping && frame->count == xsk->frame_chunks) {
		wm_xsk_recycle(xsk, frame);
		xsk->skipping = true;
		xsk->oversize++;
	}
	if (xsk->skipping) {
		recycle_chunk(xsk, desc->addr);
	} else {
		frame->pieces[frame->count++] = (struct wm_xsk_piece){
			.offset = (uint32_t)desc->addr,
			.bytes = desc->len,
		};
		frame->bytes += desc->len;
	}
	return last;
}

/* Returns how many descriptors it took; *whole says whether they are a frame. */
static uint32_t gather_pieces(struct wm_xsk *xsk, struct wm_xsk_frame *frame, bool *whole)
{
	uint32_t index, taken = 0;

	*frame = (struct wm_xsk_frame){ .bytes = WM_XDP_TRIM_BYTES };
	*whole = false;
	while (!*whole && xsk_ring_cons__peek(&xsk->rx, 1, &index) == 1) {
		*whole = take_piece(xsk, frame, xsk_ring_cons__rx_desc(&xsk->rx, index));
		taken++;
	}
	return taken;
}

bool wm_xsk_receive(struct wm_xsk *xsk, struct wm_xsk_frame *frame)
{
	bool whole, skipped;

	do {
		uint32_t taken = gather_pieces(xsk, frame, &whole);

		/* The kernel publishes a frame's pieces at once; if ever it does not,
		 * the beginning waits in the ring for its end. */
		if (!whole && !xsk->skipping) {
			xsk_ring_cons__cancel(&xsk->rx, taken);
			return false;
		}
		if (taken > 0)
			xsk_ring_cons__release(&xsk->rx, taken);
		skipped = xsk->skipping;
		if (whole)
			xsk->skipping = false;
	} while (whole && skipped);
	if (whole)
		xsk->frames_received++;
	return whole;
}

/* ---- leaving ------------------------------------------------------------ */

static uint32_t group_offset(const struct wm_xsk *xsk, uint32_t number)
{
	return (WM_XSK_RX_CHUNKS + number * xsk->frame_chunks) * WM_UMEM_CHUNK_BYTES;
}

static uint32_t group_number(const struct wm_xsk *xsk, uint64_t offset)
{
	return (uint32_t)(offset / WM_UMEM_CHUNK_BYTES - WM_XSK_RX_CHUNKS) / xsk->frame_chunks;
}

uint32_t wm_xsk_groups_free(const struct wm_xsk *xsk)
{
	return xsk->free_count;
}

bool wm_xsk_group_acquire(struct wm_xsk *xsk, uint32_t *group)
{
	if (xsk->free_count == 0)
		return false;
	*group = group_offset(xsk, xsk->free_groups[--xsk->free_count]);
	return true;
}

void wm_xsk_group_release(struct wm_xsk *xsk, uint32_t group)
{
	assert(xsk->free_count < xsk->group_count);
	xsk->free_groups[xsk->free_count++] = (uint16_t)group_number(xsk, group);
}

void wm_xsk_send(struct wm_xsk *xsk, uint32_t group, uint32_t frame_bytes)
{
	uint32_t at = group + WM_XSK_GROUP_FRAME;
	uint32_t end = at + frame_bytes;
	uint32_t chunks = (end - group + WM_UMEM_CHUNK_BYTES - 1) / WM_UMEM_CHUNK_BYTES;
	uint32_t index, given;

	assert(chunks <= xsk->frame_chunks);
	/* The ring has room for every chunk there is. */
	given = xsk_ring_prod__reserve(&xsk->tx, chunks, &index);
	assert(given == chunks);
	for (uint32_t i = 0; i < chunks; i++) {
		uint32_t next = group + (i + 1) * WM_UMEM_CHUNK_BYTES;
		struct xdp_desc *desc = xsk_ring_prod__tx_desc(&xsk->tx, index + i);

		desc->addr = at;
		desc->len = (next < end ? next : end) - at;
		desc->options = next < end ? DESC_CONTINUES : 0;
		at = next;
	}
	xsk->chunks_sent[group_number(xsk, group)] = (uint8_t)chunks;
	xsk_ring_prod__submit(&xsk->tx, given);
	xsk->frames_sent++;
}

static void take_back_groups(struct wm_xsk *xsk)
{
	uint32_t index, count;

	count = xsk_ring_cons__peek(&xsk->completion, WM_XSK_TX_CHUNKS, &index);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t address = *xsk_ring_cons__comp_addr(&xsk->completion, index + i);
		uint32_t number = group_number(xsk, address);

		assert(number < xsk->group_count && xsk->chunks_sent[number] > 0);
		if (--xsk->chunks_sent[number] == 0)
			wm_xsk_group_release(xsk, group_offset(xsk, number));
	}
	if (count > 0)
		xsk_ring_cons__release(&xsk->completion, count);
}

static uint32_t tx_waiting(const struct wm_xsk *xsk)
{
	return *xsk->tx.producer - __atomic_load_n(xsk->tx.consumer, __ATOMIC_ACQUIRE);
}

int wm_xsk_flush(struct wm_xsk *xsk)
{
	uint32_t waiting = tx_waiting(xsk), before;
	int fd = xsk_socket__fd(xsk->socket);

	/* One call moves 32 descriptors at most. One that moves none has met a full
	 * link: later, then. */
	do {
		before = waiting;
		if (waiting == 0)
			break;
		if (sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno == ENXIO)
			return -ENXIO;
		waiting = tx_waiting(xsk);
	} while (waiting < before);
	take_back_groups(xsk);
	return waiting == 0 ? 0 : -EAGAIN;
}
