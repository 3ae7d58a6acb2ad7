/* A host whose clock is wrong, for one process: loaded before libc, it shifts the time of day by
   WRONG_CLOCK_SECONDS and leaves the clocks that only tick alone. Without any header, so that a
   compiler is all it needs. */

struct timespec { long seconds; long nanoseconds; };
struct timeval { long seconds; long microseconds; };

extern void *dlsym(void *library, const char *name);
extern char *getenv(const char *name);
extern long atol(const char *text);

#define NEXT_LIBRARY ((void *) -1)
enum { REALTIME = 0, REALTIME_COARSE = 5, TAI = 11 };

static int (*true_clock_gettime)(int, struct timespec *);
static int (*true_gettimeofday)(struct timeval *, void *);
static long shift;

__attribute__((constructor)) static void begin(void) {
    const char *said = getenv("WRONG_CLOCK_SECONDS");
    shift = said ? atol(said) : 0;
    true_clock_gettime = dlsym(NEXT_LIBRARY, "clock_gettime");
    true_gettimeofday = dlsym(NEXT_LIBRARY, "gettimeofday");
}

int clock_gettime(int clock, struct timespec *moment) {
    if (!true_clock_gettime) begin();
    int failed = true_clock_gettime(clock, moment);
    if (!failed && (clock == REALTIME || clock == REALTIME_COARSE || clock == TAI))
        moment->seconds += shift;
    return failed;
}

int gettimeofday(struct timeval *moment, void *zone) {
    if (!true_gettimeofday) begin();
    int failed = true_gettimeofday(moment, zone);
    if (!failed && moment) moment->seconds += shift;
    return failed;
}

long time(long *moment) {
    struct timespec now;
    clock_gettime(REALTIME, &now);
    if (moment) *moment = now.seconds;
    return now.seconds;
}
