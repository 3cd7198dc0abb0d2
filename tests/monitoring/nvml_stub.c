/* The part of NVML that llmos asks, with two GPUs of no machine, so that the real bindings have something to call.
 *
 * The file that NVML_STUB names says what is the matter: "well", "driver" (nothing answers), "lost" (GPU 1 is gone),
 * "mig" (GPU 0 is divided in two), "shared" (no memory of its own), "bare" (nothing but memory is told), "hangs",
 * "reset" (the driver is reset: nothing is told until nobody holds NVML and it is initialised anew), "unknown" (power is an
 * unknown error), "empty" (no room for notes on processes is needed) or "grows" (they outgrow the room). NVML_STUB.inits
 * has one character for each initialisation, NVML_STUB.since the moment from which notes were last asked for. Source of
 * the signatures: nvml.h.
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
static int users = 0, stale = 0;

static int state(const char *word) {
    char said[32] = "";
    FILE *file = fopen(getenv("NVML_STUB"), "r");
    if (file) { if (!fgets(said, sizeof said, file)) said[0] = 0; fclose(file); }
    return strcmp(said, word) == 0;
}

static void note(const char *ending, const char *mode, const char *text) {
    char name[4096];
    FILE *file;
    snprintf(name, sizeof name, "%s.%s", getenv("NVML_STUB"), ending);
    if ((file = fopen(name, mode))) { fputs(text, file); fclose(file); }
}

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    note("inits", "a", ".");
    if (state("driver")) return DRIVER_NOT_LOADED;
    if (!users++) stale = 0;
    return SUCCESS;
}
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

/* What is sampled. GPU 0 works for two processes, of which one is the process that asks. */
#include <sys/time.h>
#include <unistd.h>

typedef struct { unsigned gpu, memory; } utilization_t;
typedef struct { unsigned pid; unsigned long long memory; unsigned instance, compute; } process_t;
typedef struct { unsigned pid; unsigned long long time; unsigned sm, memory, encoder, decoder; } used_t;

static int told(device_t *device) {
    if (state("hangs")) sleep(3);
    if (state("reset")) stale = 1;
    if (stale) return GPU_IS_LOST;
    if (state("bare") || device == &parts[0] || device == &parts[2]) return NOT_SUPPORTED;
    return device == &gpus[1] && state("lost") ? GPU_IS_LOST : SUCCESS;
}
int nvmlDeviceGetUtilizationRates(device_t *device, utilization_t *used) {
    used->gpu = device == &gpus[0] ? 70 : 0;
    used->memory = 20;
    return told(device);
}
int nvmlDeviceGetPowerUsage(device_t *device, unsigned *milliwatts) { *milliwatts = 123400; if (state("unknown")) return 999; return told(device); }
int nvmlDeviceGetEnforcedPowerLimit(device_t *device, unsigned *milliwatts) { *milliwatts = 250000; return told(device); }
int nvmlDeviceGetTemperature(device_t *device, int sensor, unsigned *celsius) { (void)sensor; *celsius = 61; return told(device); }
int nvmlDeviceGetClockInfo(device_t *device, int clock, unsigned *mhz) { *mhz = clock == 1 ? 1410 : 5001; return told(device); }
int nvmlDeviceGetComputeRunningProcesses_v3(device_t *device, unsigned *count, process_t *processes) {
    unsigned room = *count, here = device == &gpus[0] ? 2 : device == &parts[2] ? 1 : 0;
    *count = here;
    if (!here) return SUCCESS;
    if (room < here || !processes) return 7; /* insufficient size */
    memset(processes, 0, here * sizeof *processes);
    processes[0].pid = (unsigned)getpid();
    processes[0].memory = 1ULL << 30;
    if (here > 1) { processes[1].pid = 999999999; processes[1].memory = 1ULL << 29; }
    return SUCCESS;
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(device_t *device, unsigned *count, process_t *processes) {
    (void)device; (void)processes;
    *count = 0;
    return SUCCESS;
}
int nvmlDeviceGetProcessUtilization(device_t *device, used_t *used, unsigned *count, unsigned long long since) {
    struct timeval now;
    char text[32];
    snprintf(text, sizeof text, "%llu", since);
    note("since", "w", text);
    if (state("empty")) { *count = 0; return SUCCESS; }
    if (state("grows")) { *count = 1; return 7; }
    if (device != &gpus[0] || state("bare")) { *count = 0; return NOT_SUPPORTED; }
    if (!used || *count < 1) { *count = 1; return 7; }
    memset(used, 0, sizeof *used);
    used->pid = (unsigned)getpid();
    gettimeofday(&now, NULL);
    used->time = now.tv_sec * 1000000ULL + now.tv_usec;
    used->sm = 45;
    *count = 1;
    return SUCCESS;
}
