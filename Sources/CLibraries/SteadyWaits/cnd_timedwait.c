// librdkafka waits with C11's cnd_timedwait, which knows the wall clock only: it adds a duration to the time of now,
// and the kernel waits until that time. When the clock is set back by an hour meanwhile, the wait lasts an hour longer,
// and a client that pauses between attempts to connect does not come back before.
//
// A program's own functions come before those of shared libraries, so librdkafka finds this one. It takes the duration
// out of the time again and waits by the clock that never jumps. In glibc a cnd_t is a pthread_cond_t, and an mtx_t a
// pthread_mutex_t; other C libraries keep their own function.
#define _GNU_SOURCE
#include <features.h>

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>

_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a cnd_t is not a pthread_cond_t");
_Static_assert(sizeof(mtx_t) <= sizeof(pthread_mutex_t), "an mtx_t is not a pthread_mutex_t");

static const int64_t second = 1000000000;

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * second + time.tv_nsec; }

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
    struct timespec wall, steady;
    if (clock_gettime(CLOCK_REALTIME, &wall) != 0 || clock_gettime(CLOCK_MONOTONIC, &steady) != 0) return thrd_error;
    int64_t left = nanoseconds(*until) - nanoseconds(wall);
    int64_t end = nanoseconds(steady) + (left > 0 ? left : 0);
    struct timespec deadline = {.tv_sec = end / second, .tv_nsec = end % second};
    int status = pthread_cond_clockwait(
        (pthread_cond_t *)condition, (pthread_mutex_t *)mutex, CLOCK_MONOTONIC, &deadline);
    return status == 0 ? thrd_success : status == ETIMEDOUT ? thrd_timedout : thrd_error;
}
#endif
