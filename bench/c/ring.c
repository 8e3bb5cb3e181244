// The ring of src/Skein/Channels/Ring.cs in C, between two processes: what the memory, the processors and the kernel allow.
//   cc -O2 -o ring ring.c && ring latency|throughput COUNT
// Ready: a line {"version": …}. For each line on standard input: a line {"value": …}; latency: the median round trip of 64 bytes in
// nanoseconds; throughput: megabytes (10^6) per second of 4 KB messages one way, copied in and copied out. It ends with its input.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 4096, CAPACITY = 1 << 20, BUDGET_NS = 20000 };
static const uint32_t SKIP = UINT32_MAX;

typedef struct {
    unsigned char *base, *messages;
    uint64_t tail, next_tail, seen_head;   // the producer's own
    uint64_t head, next_head, seen_tail;   // the consumer's own
} ring;

static _Atomic uint64_t *tail_of(ring *r) { return (void *)r->base; }
static _Atomic uint64_t *head_of(ring *r) { return (void *)(r->base + 128); }
static _Atomic uint32_t *consumer_sleeps(ring *r) { return (void *)(r->base + 256); }
static _Atomic uint32_t *producer_sleeps(ring *r) { return (void *)(r->base + 384); }

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t padded(uint32_t length) { return (((uint64_t)length + 7) & ~7ull) + 8; }

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static ring *create(void)
{
    ring *r = calloc(1, sizeof *r);
    r->base = mmap(NULL, HEADER + CAPACITY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r->base == MAP_FAILED)
        fail("mmap");
    r->messages = r->base + HEADER;
    return r;
}

static void wake(_Atomic uint32_t *word)
{
    atomic_exchange(word, 0);
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static inline void pause_a_little(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

static unsigned char *try_claim(ring *r, uint32_t length)
{
    uint64_t needed = padded(length), offset = r->tail & (CAPACITY - 1), rest = CAPACITY - offset;
    uint64_t total = rest < needed ? needed + rest : needed;
    if (r->tail + total - r->seen_head > CAPACITY) {
        r->seen_head = atomic_load_explicit(head_of(r), memory_order_acquire);
        if (r->tail + total - r->seen_head > CAPACITY)
            return NULL;
    }
    if (total != needed) {
        *(uint32_t *)(r->messages + offset) = SKIP;
        offset = 0;
    }
    r->next_tail = r->tail + total;
    *(uint64_t *)(r->messages + offset) = length;
    return r->messages + offset + 8;
}

static unsigned char *claim(ring *r, uint32_t length)
{
    unsigned char *space;
    while (!(space = try_claim(r, length))) {
        uint64_t until = now() + BUDGET_NS;
        int came = 0;
        do {
            for (int i = 0; i < 32 && !came; i++) {
                came = atomic_load_explicit(head_of(r), memory_order_acquire) != r->seen_head;
                if (!came)
                    pause_a_little();
            }
        } while (!came && now() < until);
        if (came)
            continue;
        atomic_exchange(producer_sleeps(r), 1);
        if (atomic_load(head_of(r)) == r->seen_head)
            syscall(SYS_futex, producer_sleeps(r), FUTEX_WAIT, 1, NULL, NULL, 0);
        atomic_store(producer_sleeps(r), 0);
    }
    return space;
}

static void commit(ring *r)
{
    r->tail = r->next_tail;
    atomic_exchange(tail_of(r), r->tail);
    if (atomic_load_explicit(consumer_sleeps(r), memory_order_acquire))
        wake(consumer_sleeps(r));
}

static unsigned char *try_peek(ring *r, uint32_t *length)
{
    for (;;) {
        if (r->seen_tail == r->head && (r->seen_tail = atomic_load_explicit(tail_of(r), memory_order_acquire)) == r->head)
            return NULL;
        uint64_t offset = r->head & (CAPACITY - 1);
        *length = *(uint32_t *)(r->messages + offset);
        if (*length == SKIP) {
            r->head += CAPACITY - offset;
            continue;
        }
        if (*length > CAPACITY - offset - 8 || r->seen_tail - r->head > CAPACITY)
            abort();
        r->next_head = r->head + padded(*length);
        return r->messages + offset + 8;
    }
}

static unsigned char *peek(ring *r, uint32_t *length)
{
    unsigned char *message;
    while (!(message = try_peek(r, length))) {
        uint64_t until = now() + BUDGET_NS;
        int came = 0;
        do {
            for (int i = 0; i < 32 && !came; i++) {
                came = atomic_load_explicit(tail_of(r), memory_order_acquire) != r->head;
                if (!came)
                    pause_a_little();
            }
        } while (!came && now() < until);
        if (came)
            continue;
        atomic_exchange(consumer_sleeps(r), 1);
        if (atomic_load(tail_of(r)) == r->head)
            syscall(SYS_futex, consumer_sleeps(r), FUTEX_WAIT, 1, NULL, NULL, 0);
        atomic_store(consumer_sleeps(r), 0);
    }
    return message;
}

static void release(ring *r)
{
    r->head = r->next_head;
    atomic_exchange(head_of(r), r->head);
    if (atomic_load_explicit(producer_sleeps(r), memory_order_acquire))
        wake(producer_sleeps(r));
}

// One side each: left alone, the scheduler soon puts two sides that wake each other on one processor, where nobody can spin.
static void run_on(int processor)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        fail("sched_setaffinity");
}

static void send_message(ring *r, const void *bytes, uint32_t length)
{
    memcpy(claim(r, length), bytes, length);
    commit(r);
}

static void receive_message(ring *r, void *bytes, uint32_t wanted)
{
    uint32_t length;
    unsigned char *message = peek(r, &length);
    if (length != wanted)
        abort();
    memcpy(bytes, message, length);
    release(r);
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double latency(ring *there, ring *back, long count)
{
    uint64_t message[8] = {0}, answer[8], *times = malloc((size_t)count * sizeof *times);
    for (long i = -count / 10; i < count; i++) {
        message[0] = message[7] = (uint64_t)i;
        uint64_t started = now();
        send_message(there, message, sizeof message);
        receive_message(back, answer, sizeof answer);
        if (i >= 0)
            times[i] = now() - started;
        if (answer[0] != message[0] + 1 || answer[7] != message[7])
            abort();
    }
    qsort(times, (size_t)count, sizeof *times, ascending);
    double median = (double)times[count / 2];
    free(times);
    return median;
}

static double throughput(ring *there, ring *back, long count)
{
    static uint64_t message[512];
    uint64_t started = now(), seen;
    for (long i = 0; i < count; i++) {
        message[0] = message[511] = (uint64_t)i;
        send_message(there, message, sizeof message);
    }
    receive_message(back, &seen, sizeof seen);   // the other side has read them all
    if (seen != (uint64_t)count)
        abort();
    return (double)count * sizeof message / 1e6 / ((double)(now() - started) / 1e9);
}

static void other_side(ring *there, ring *back, int is_latency, long count)
{
    static uint64_t message[512];
    for (uint64_t seen = 0;;) {
        if (is_latency) {
            receive_message(there, message, 64);
            message[0]++;
            send_message(back, message, 64);
            continue;
        }
        receive_message(there, message, sizeof message);
        if (message[0] != seen || message[511] != seen)
            abort();
        if (++seen == (uint64_t)count) {
            send_message(back, &seen, sizeof seen);
            seen = 0;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    int is_latency = !strcmp(argv[1], "latency");
    long count = atol(argv[2]);
    ring *there = create(), *back = create();
    pid_t parent = getpid();
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            return 0;
        run_on(1);
        other_side(there, back, is_latency, count);
    }
    run_on(0);
    printf("{\"version\": \"gcc %s\"}\n", __VERSION__);
    fflush(stdout);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        printf("{\"value\": %.1f}\n", is_latency ? latency(there, back, count) : throughput(there, back, count));
        fflush(stdout);
    }
    return 0;
}
