/* The part of NVML that llmos asks, with two GPUs of no machine, so that the real bindings have something to call.
 *
 * The file that NVML_STUB names says what is the matter: "well", "driver" (nothing answers), "lost" (GPU 1 is gone),
 * "mig" (GPU 0 is divided in two) or "shared" (no memory of its own). Source of the signatures: nvml.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { const char *uuid, *name; memory_t memory; } device_t;

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15 };

static device_t gpus[2] = {
    {"GPU-11111111-aaaa-bbbb-cccc-000000000001", "NVIDIA Stub A", {8ULL << 30, 6ULL << 30, 2ULL << 30}},
    {"GPU-22222222-aaaa-bbbb-cccc-000000000002", "NVIDIA Stub B", {16ULL << 30, 16ULL << 30, 0}},
};
static device_t parts[3] = {
    {"MIG-33333333-aaaa-bbbb-cccc-000000000003", "NVIDIA Stub A MIG 1g.2gb", {2ULL << 30, 2ULL << 30, 0}},
    {0, 0, {0, 0, 0}},
    {"MIG-44444444-aaaa-bbbb-cccc-000000000004", "NVIDIA Stub A MIG 1g.2gb", {2ULL << 30, 1ULL << 30, 1ULL << 30}},
};
static int users = 0;

static int state(const char *word) {
    char said[32] = "";
    FILE *file = fopen(getenv("NVML_STUB"), "r");
    if (file) { if (!fgets(said, sizeof said, file)) said[0] = 0; fclose(file); }
    return strcmp(said, word) == 0;
}

int nvmlInitWithFlags(unsigned flags) { (void)flags; if (state("driver")) return DRIVER_NOT_LOADED; users++; return SUCCESS; }
int nvmlShutdown(void) { if (!users) return UNINITIALIZED; users--; return SUCCESS; }
const char *nvmlErrorString(int code) { return code == GPU_IS_LOST ? "GPU is lost" : "Stub error"; }

int nvmlDeviceGetCount_v2(unsigned *count) {
    if (!users) return UNINITIALIZED;
    if (state("driver")) return GPU_IS_LOST;
    *count = state("none") ? 0 : 2;
    return SUCCESS;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, device_t **device) {
    if (index > 1) return INVALID_ARGUMENT;
    if (index == 1 && state("lost")) return GPU_IS_LOST;
    *device = &gpus[index];
    return SUCCESS;
}
static int copy(const char *from, char *to, unsigned length) { strncpy(to, from, length); return SUCCESS; }
int nvmlDeviceGetName(device_t *device, char *name, unsigned length) { return copy(device->name, name, length); }
int nvmlDeviceGetUUID(device_t *device, char *uuid, unsigned length) { return copy(device->uuid, uuid, length); }
int nvmlDeviceGetMemoryInfo(device_t *device, memory_t *memory) {
    if (state("shared")) return NOT_SUPPORTED;
    *memory = device->memory;
    return SUCCESS;
}
int nvmlDeviceGetMigMode(device_t *device, unsigned *current, unsigned *pending) {
    if (device != &gpus[0]) return NOT_SUPPORTED;
    *current = *pending = state("mig");
    return SUCCESS;
}
int nvmlDeviceGetMaxMigDeviceCount(device_t *device, unsigned *count) { (void)device; *count = 3; return SUCCESS; }
int nvmlDeviceGetMigDeviceHandleByIndex(device_t *device, unsigned index, device_t **part) {
    (void)device;
    if (index > 2 || !parts[index].uuid) return NOT_FOUND;
    *part = &parts[index];
    return SUCCESS;
}
