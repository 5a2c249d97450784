// A wall clock that a test steps while the process runs. It is preloaded:
//
//     cc -shared -fPIC -o stepped_clock.so stepped_clock.c
//     STEPPED_CLOCK=FILE LD_PRELOAD=$PWD/stepped_clock.so sagamore serve --config sagamore.yaml
//
// The first eight bytes of FILE are the nanoseconds by which the process's wall clock is ahead. Clocks that never jump
// stay as they are, as when somebody sets a machine's clock.
//
// Waits until a time of the wall clock follow the steps, also those that have begun: the kernel would do that, too.
// libfaketime does not know C11's cnd_timedwait, on which librdkafka waits: after a step forward each wait of
// librdkafka would last as long as the step. Waits of pthread_cond_timedwait are left alone: the server's conditions
// are all on the monotonic clock.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

// How soon a wait notices a step.
static const int64_t longest_wait = SECOND / 50;

static _Atomic int64_t still;
static _Atomic int64_t *offset = &still;
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_cnd_timedwait)(cnd_t *, mtx_t *, const struct timespec *);

__attribute__((constructor)) static void connect_to_test(void) {
    real_cnd_timedwait = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(RTLD_NEXT, "cnd_timedwait");
    real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *name = getenv("STEPPED_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) abort();
    void *memory = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) abort();
    close(file);
    offset = memory;
}

static int64_t nanoseconds(struct timespec time) { return time.tv_sec * SECOND + time.tv_nsec; }

static struct timespec moment(int64_t nanoseconds) {
    return (struct timespec){.tv_sec = nanoseconds / SECOND, .tv_nsec = nanoseconds % SECOND};
}

// Other libraries' constructors may ask before this one's has run.
static int read_clock(clockid_t clock, struct timespec *time) {
    return real_clock_gettime ? real_clock_gettime(clock, time) : (int)syscall(SYS_clock_gettime, clock, time);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int status = read_clock(clock, time);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        *time = moment(nanoseconds(*time) + atomic_load(offset));
    }
    return status;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int status = clock_gettime(CLOCK_REALTIME, &now);
    if (status == 0) *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return status;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *time, int base) {
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, time) == 0 ? base : 0;
}

// Waits in parts, each until a time that the kernel understands.
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
    while (1) {
        struct timespec now;
        if (read_clock(CLOCK_REALTIME, &now) != 0) return thrd_error;
        int64_t left = nanoseconds(*until) - atomic_load(offset) - nanoseconds(now);
        if (left < 0) left = 0;
        struct timespec end = moment(nanoseconds(now) + (left < longest_wait ? left : longest_wait));
        int status = real_cnd_timedwait(condition, mutex, &end);
        if (status != thrd_timedout || left <= longest_wait) return status;
    }
}
