// SPDX-License-Identifier: GPL-2.0-or-later
#include "drm-card.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct card card;

static const char *const prop_names[] = {
	"CRTC_ID", "MODE_ID", "ACTIVE", "FB_ID", "SRC_X", "SRC_Y", "SRC_W",
	"SRC_H", "CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H", "type", "EDID",
	"link-status",
};

int drmSetClientCap(int fd, uint64_t capability, uint64_t value)
{
	return 0;
}

int drmIsMaster(int fd)
{
	return 0;
}

int drmSetMaster(int fd)
{
	return card.master ? 0 : -1;
}

void drmFree(void *data)
{
	free(data);
}

int drmCrtcGetSequence(int fd, uint32_t crtc, uint64_t *seq, uint64_t *ns)
{
	errno = card.clock ? EINVAL : EOPNOTSUPP;
	return card.clock && card.mode[crtc - CRTC] ? 0 : -1;
}

drmModeResPtr drmModeGetResources(int fd)
{
	static uint32_t crtcs[NR_CRTCS], conns[NR_CONNS];
	drmModeRes *res = calloc(1, sizeof(*res));

	if (card.gone) {
		free(res);
		errno = ENODEV;
		return NULL;
	}
	for (unsigned int i = 0; i < NR_CRTCS; i++)
		crtcs[i] = CRTC + i;
	for (unsigned int i = 0; i < NR_CONNS; i++)
		conns[i] = CONN + i;
	res->crtcs = crtcs;
	res->count_crtcs = NR_CRTCS;
	res->connectors = conns;
	res->count_connectors = NR_CONNS;
	return res;
}

void drmModeFreeResources(drmModeResPtr res)
{
	free(res);
}

/* HDMI-A-1, HDMI-A-2, DP-1 */
drmModeConnectorPtr drmModeGetConnector(int fd, uint32_t id)
{
	static uint32_t encoders[NR_CONNS];
	drmModeConnector *conn;
	unsigned int i = id - CONN;

	errno = ENODEV;
	if (card.gone || i >= NR_CONNS)
		return NULL;
	conn = calloc(1, sizeof(*conn));
	conn->connector_id = id;
	conn->connector_type = i < 2 ? DRM_MODE_CONNECTOR_HDMIA :
		DRM_MODE_CONNECTOR_DisplayPort;
	conn->connector_type_id = i < 2 ? i + 1 : 1;
	conn->connection = card.plugged[i] ? DRM_MODE_CONNECTED :
		DRM_MODE_DISCONNECTED;
	conn->modes = card.modes;
	conn->count_modes = card.plugged[i] ? card.nr_modes : 0;
	encoders[i] = ENCODER + i;
	conn->encoder_id = card.feeds[i] ? ENCODER + i : 0;
	conn->encoders = &encoders[i];
	conn->count_encoders = 1;
	return conn;
}

drmModeConnectorPtr drmModeGetConnectorCurrent(int fd, uint32_t id)
{
	return drmModeGetConnector(fd, id);
}

void drmModeFreeConnector(drmModeConnectorPtr conn)
{
	free(conn);
}

drmModeEncoderPtr drmModeGetEncoder(int fd, uint32_t id)
{
	drmModeEncoder *encoder = calloc(1, sizeof(*encoder));

	encoder->crtc_id = card.feeds[id - ENCODER];
	encoder->possible_crtcs = card.possible[id - ENCODER] ?
		card.possible[id - ENCODER] : 3;
	return encoder;
}

void drmModeFreeEncoder(drmModeEncoderPtr encoder)
{
	free(encoder);
}

/* A cursor's plane comes first. */
drmModePlaneResPtr drmModeGetPlaneResources(int fd)
{
	static uint32_t planes[] = { PLANE + 9, PLANE, PLANE + 1 };
	drmModePlaneRes *res = calloc(1, sizeof(*res));

	res->planes = planes;
	res->count_planes = ARRAY_SIZE(planes);
	return res;
}

void drmModeFreePlaneResources(drmModePlaneResPtr res)
{
	free(res);
}

drmModePlanePtr drmModeGetPlane(int fd, uint32_t id)
{
	drmModePlane *plane = calloc(1, sizeof(*plane));

	plane->possible_crtcs = id == PLANE + 9 || card.any_plane ? 3 :
		1u << (id - PLANE);
	if (id != PLANE + 9)
		plane->crtc_id = card.plane_on[id - PLANE];
	return plane;
}

void drmModeFreePlane(drmModePlanePtr plane)
{
	free(plane);
}

drmModeObjectPropertiesPtr drmModeObjectGetProperties(int fd, uint32_t object,
						      uint32_t type)
{
	static uint32_t ids[ARRAY_SIZE(prop_names)];
	static uint64_t values[ARRAY_SIZE(prop_names)];
	drmModeObjectProperties *props = calloc(1, sizeof(*props));

	for (unsigned int i = 0; i < ARRAY_SIZE(prop_names); i++) {
		ids[i] = i + 1;
		values[i] = 0;
		if (!strcmp(prop_names[i], "type"))
			values[i] = object == PLANE + 9 ?
				DRM_PLANE_TYPE_CURSOR : DRM_PLANE_TYPE_PRIMARY;
		if (!strcmp(prop_names[i], "EDID"))
			values[i] = EDID_BLOB;
		if (!strcmp(prop_names[i], "link-status") &&
		    type == DRM_MODE_OBJECT_CONNECTOR)
			values[i] = card.bad_link[object - CONN];
	}
	props->props = ids;
	props->prop_values = values;
	props->count_props = ARRAY_SIZE(prop_names);
	return props;
}

void drmModeFreeObjectProperties(drmModeObjectPropertiesPtr props)
{
	free(props);
}

drmModePropertyPtr drmModeGetProperty(int fd, uint32_t id)
{
	drmModePropertyRes *prop = calloc(1, sizeof(*prop));

	prop->prop_id = id;
	snprintf(prop->name, sizeof(prop->name), "%s", prop_names[id - 1]);
	return prop;
}

void drmModeFreeProperty(drmModePropertyPtr prop)
{
	free(prop);
}

drmModePropertyBlobPtr drmModeGetPropertyBlob(int fd, uint32_t id)
{
	drmModePropertyBlobRes *blob = calloc(1, sizeof(*blob));

	assert_int_equal(id, EDID_BLOB);
	blob->length = sizeof(card.edid);
	blob->data = card.edid;
	return blob;
}

void drmModeFreePropertyBlob(drmModePropertyBlobPtr blob)
{
	free(blob);
}

int drmModeCreatePropertyBlob(int fd, const void *data, size_t size,
			      uint32_t *id)
{
	assert_int_equal(size, sizeof(card.blob));
	memcpy(&card.blob, data, size);
	*id = 1;
	return 0;
}

int drmModeDestroyPropertyBlob(int fd, uint32_t id)
{
	return 0;
}

int drmModeCreateDumbBuffer(int fd, uint32_t width, uint32_t height,
			    uint32_t bpp, uint32_t flags, uint32_t *handle,
			    uint32_t *pitch, uint64_t *size)
{
	for (unsigned int i = 0; i < NR_BUFFERS; i++) {
		if (card.buffers[i].width)
			continue;
		card.buffers[i].width = width;
		card.buffers[i].height = height;
		*handle = HANDLE + i;
		*pitch = width * 4 + 64;
		*size = (uint64_t)*pitch * height;
		return 0;
	}
	errno = ENOMEM;
	return -1;
}

int drmModeDestroyDumbBuffer(int fd, uint32_t handle)
{
	assert_int_not_equal(card.buffers[handle - HANDLE].width, 0);
	card.buffers[handle - HANDLE].width = 0;
	card.buffers[handle - HANDLE].data = NULL;
	return 0;
}

int drmModeMapDumbBuffer(int fd, uint32_t handle, uint64_t *offset)
{
	*offset = (uint64_t)handle << 12;
	return 0;
}

/* What the linker makes of the daemon's mmap(). */
void *__real_mmap64(void *addr, size_t size, int prot, int flags, int fd,
		    off_t offset);
void *__wrap_mmap64(void *addr, size_t size, int prot, int flags, int fd,
		    off_t offset);

void *__wrap_mmap64(void *addr, size_t size, int prot, int flags, int fd,
		    off_t offset)
{
	void *data;

	if (fd < 0)
		return __real_mmap64(addr, size, prot, flags, fd, offset);
	data = __real_mmap64(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	card.buffers[(offset >> 12) - HANDLE].data = data;
	return data;
}

int drmModeAddFB(int fd, uint32_t width, uint32_t height, uint8_t depth,
		 uint8_t bpp, uint32_t pitch, uint32_t handle, uint32_t *fb)
{
	*fb = FB + handle - HANDLE;
	return 0;
}

/* The handle tells the descriptor. */
int drmPrimeFDToHandle(int fd, int prime_fd, uint32_t *handle)
{
	errno = EINVAL;
	if (card.imports == NO_PRIME)
		return -1;
	card.open_handles++;
	*handle = IMPORT_HANDLE + (uint32_t)prime_fd;
	return 0;
}

int drmCloseBufferHandle(int fd, uint32_t handle)
{
	assert_in_range(handle, IMPORT_HANDLE, IMPORT_HANDLE + 1000);
	assert_int_not_equal(card.open_handles--, 0);
	return 0;
}

int drmGetCap(int fd, uint64_t capability, uint64_t *value)
{
	assert_int_equal(capability, DRM_CAP_ADDFB2_MODIFIERS);
	*value = card.modifiers;
	return 0;
}

static int add_import(uint32_t width, uint32_t height, uint32_t format,
		      uint32_t handle, uint32_t stride, uint32_t offset,
		      uint32_t *fb)
{
	unsigned int i = 0;

	errno = EINVAL;
	if (card.imports == NO_FB)
		return -1;
	while (card.import[i].width)
		i++;
	card.import[i].fd = (int)(handle - IMPORT_HANDLE);
	card.import[i].format = format;
	card.import[i].width = width;
	card.import[i].height = height;
	card.import[i].stride = stride;
	card.import[i].offset = offset;
	*fb = IMPORT_FB + i;
	return 0;
}

int drmModeAddFB2(int fd, uint32_t width, uint32_t height, uint32_t format,
		  const uint32_t handles[4], const uint32_t strides[4],
		  const uint32_t offsets[4], uint32_t *fb, uint32_t flags)
{
	assert_false(card.modifiers);
	return add_import(width, height, format, handles[0], strides[0],
			  offsets[0], fb);
}

int drmModeAddFB2WithModifiers(int fd, uint32_t width, uint32_t height,
			       uint32_t format, const uint32_t handles[4],
			       const uint32_t strides[4],
			       const uint32_t offsets[4],
			       const uint64_t modifiers[4], uint32_t *fb,
			       uint32_t flags)
{
	assert_true(card.modifiers);
	assert_int_equal(flags, DRM_MODE_FB_MODIFIERS);
	assert_int_equal(modifiers[0], 0);
	return add_import(width, height, format, handles[0], strides[0],
			  offsets[0], fb);
}

/* One that is shown would take the picture with it. */
int drmModeRmFB(int fd, uint32_t fb)
{
	for (unsigned int i = 0; i < NR_CRTCS && !card.gone; i++)
		assert_int_not_equal(card.shown[i], fb);
	if (fb >= IMPORT_FB)
		card.import[fb - IMPORT_FB].width = 0;
	return 0;
}

struct _drmModeAtomicReq {
	unsigned int n;
	struct {
		uint32_t object, prop;
		uint64_t value;
	} set[32];
};

drmModeAtomicReqPtr drmModeAtomicAlloc(void)
{
	return calloc(1, sizeof(struct _drmModeAtomicReq));
}

void drmModeAtomicFree(drmModeAtomicReqPtr req)
{
	free(req);
}

int drmModeAtomicAddProperty(drmModeAtomicReqPtr req, uint32_t object,
			     uint32_t prop, uint64_t value)
{
	req->set[req->n].object = object;
	req->set[req->n].prop = prop;
	req->set[req->n].value = value;
	return (int)++req->n;
}

/*
 * As the kernel does: a CRTC that the request concerns has a mode when it has a
 * connector; it cannot have two.
 */
static bool is_consistent(const struct card *old, const struct card *new)
{
	for (unsigned int i = 0; i < NR_CRTCS; i++) {
		bool touched = old->mode[i] != new->mode[i];
		unsigned int n = 0;

		for (unsigned int j = 0; j < NR_CONNS; j++) {
			n += new->feeds[j] == CRTC + i;
			touched |= old->feeds[j] != new->feeds[j] &&
				(old->feeds[j] == CRTC + i ||
				 new->feeds[j] == CRTC + i);
		}
		if (touched && n != (new->mode[i] ? 1 : 0))
			return false;
	}
	return true;
}

/* A request that is refused changes nothing. */
static int set_props(const struct _drmModeAtomicReq *req)
{
	const struct card old = card;
	bool refused = false;

	for (unsigned int i = 0; i < req->n; i++) {
		const char *name = prop_names[req->set[i].prop - 1];
		uint32_t object = req->set[i].object;

		if (!strcmp(name, "FB_ID"))
			card.shown[object - PLANE] =
				(uint32_t)req->set[i].value;
		if (!strcmp(name, "ACTIVE"))
			card.mode[object - CRTC] = req->set[i].value ?
				card.blob.hdisplay : 0;
		if (!strcmp(name, "CRTC_ID") && object >= CONN)
			card.feeds[object - CONN] =
				(uint32_t)req->set[i].value;
		if (!strcmp(name, "link-status"))
			card.bad_link[object - CONN] = false;
	}
	for (unsigned int i = 0; i < NR_CRTCS; i++)
		refused |= card.mode[i] != old.mode[i] && card.mode[i] &&
			card.mode[i] == card.refuses;
	if (!refused && is_consistent(&old, &card))
		return 0;
	card = old;
	errno = EINVAL;
	return -1;
}

int drmModeAtomicCommit(int fd, drmModeAtomicReqPtr req, uint32_t flags,
			void *user_data)
{
	errno = ENODEV;
	if (card.gone)
		return -1;
	for (unsigned int i = 0; i < req->n; i++) {
		errno = EINVAL;
		if (!strcmp(prop_names[req->set[i].prop - 1], "FB_ID") &&
		    req->set[i].value >= IMPORT_FB && card.imports == NO_FLIP)
			return -1;
	}
	for (unsigned int i = 0; i < NR_CRTCS; i++)
		if (card.pending[i] && req->set[0].object == PLANE + i) {
			errno = EBUSY;
			return -1;
		}
	if (set_props(req))
		return -1;
	if (flags & DRM_MODE_ATOMIC_ALLOW_MODESET) {
		card.modesets++;
		return 0;
	}
	assert_true(flags & DRM_MODE_PAGE_FLIP_EVENT);
	card.flips++;
	for (unsigned int i = 0; i < req->n; i++) {
		const uint32_t crtc = req->set[i].object - PLANE;

		if (strcmp(prop_names[req->set[i].prop - 1], "FB_ID"))
			continue;
		card.pending[crtc] = true;
		card.pending_serial[crtc] = (uintptr_t)user_data;
	}
	return 0;
}

int drmModeSetCrtc(int fd, uint32_t crtc, uint32_t fb, uint32_t x, uint32_t y,
		   uint32_t *conns, int count, drmModeModeInfoPtr mode)
{
	assert_null(mode);
	card.mode[crtc - CRTC] = 0;
	for (unsigned int i = 0; i < NR_CONNS; i++)
		if (card.feeds[i] == crtc)
			card.feeds[i] = 0;
	return 0;
}

int drmModeCreateLease(int fd, const uint32_t *objects, int n, int flags,
		       uint32_t *lessee)
{
	for (unsigned int i = 0; i < MAX_LEASES; i++) {
		int ends[2];

		if (card.leases[i].n)
			continue;
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		card.leases[i].fd = ends[1];
		card.leases[i].n = n;
		memcpy(card.leases[i].objects, objects,
		       (size_t)n * sizeof(*objects));
		*lessee = i + 1;
		return ends[0];
	}
	return -ENOSPC;
}

/* One whose worker has closed it is none any more. */
drmModeLesseeListPtr drmModeListLessees(int fd)
{
	drmModeLesseeListRes *list =
		calloc(1, sizeof(*list) + MAX_LEASES * sizeof(uint32_t));

	for (unsigned int i = 0; i < MAX_LEASES; i++) {
		char byte;

		if (!card.leases[i].n)
			continue;
		if (!recv(card.leases[i].fd, &byte, 1, MSG_DONTWAIT)) {
			close(card.leases[i].fd);
			card.leases[i].n = 0;
			continue;
		}
		list->lessees[list->count++] = i + 1;
	}
	return list;
}
