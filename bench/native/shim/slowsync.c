/*
 * Makes a flush cost what a slower disk would charge, for every store alike.
 *
 * Preloaded in front of libc. Two switches, read once from the environment:
 *
 *   SLOWSYNC_DELAY_US=n   every flush takes n microseconds more
 *   SLOWSYNC_SKIP=1       no flush reaches the device at all: what is left is the processor's work
 *
 * A flush is fsync, fdatasync, sync_file_range, msync(MS_SYNC), and a write to a descriptor that was
 * opened with O_DSYNC or O_SYNC. The last kind matters: LMDB flushes its meta page that way, and
 * direct journals flush nothing else. Where a write is a flush, it is the write that is delayed, and
 * with SLOWSYNC_SKIP the flag is taken off when the file is opened. O_DIRECT is taken off with it:
 * a direct write goes to the device at once, whether anybody asks for a flush or not.
 *
 * Not seen: flushes asked for by a raw system call, by io_uring, or by pwritev2(RWF_DSYNC). A store
 * that flushes like that must not be measured with these switches.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* glibc declares the 64-bit names only with _LARGEFILE64_SOURCE, which turns some into macros. */
int open64(const char *path, int flags, ...);
int openat64(int directory, const char *path, int flags, ...);

static long delay_us;
static int skip;

__attribute__((constructor)) static void read_switches(void) {
    const char *delay = getenv("SLOWSYNC_DELAY_US");
    const char *skipped = getenv("SLOWSYNC_SKIP");
    delay_us = delay ? atol(delay) : 0;
    skip = skipped && skipped[0] == '1';
    /* The default timer slack of 50 us would be charged on top of each delay. Threads inherit it. */
    if (delay_us > 0) prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

static void pay(void) {
    if (delay_us <= 0) return;
    int saved = errno;
    struct timespec rest = {delay_us / 1000000, (delay_us % 1000000) * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR) continue;
    errno = saved;
}

/* Resolved on first use. Two threads may both resolve: they store the same pointer. */
#define REAL(result, name, ...)                                              \
    static result (*real)(__VA_ARGS__);                                      \
    if (!__atomic_load_n(&real, __ATOMIC_RELAXED))                           \
        __atomic_store_n(&real, (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name), __ATOMIC_RELAXED)

int fsync(int fd) {
    REAL(int, "fsync", int);
    if (skip) return 0;
    int result = real(fd);
    pay();
    return result;
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    if (skip) return 0;
    int result = real(fd);
    pay();
    return result;
}

int sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned int flags) {
    REAL(int, "sync_file_range", int, off64_t, off64_t, unsigned int);
    if (skip) return 0;
    int result = real(fd, offset, bytes, flags);
    if (flags & SYNC_FILE_RANGE_WAIT_AFTER) pay();
    return result;
}

int msync(void *address, size_t bytes, int flags) {
    REAL(int, "msync", void *, size_t, int);
    if (skip) return 0;
    int result = real(address, bytes, flags);
    if (flags & MS_SYNC) pay();
    return result;
}

static int write_is_flush(int fd) {
    if (delay_us <= 0) return 0;
    int saved = errno;
    int flags = fcntl(fd, F_GETFL);
    errno = saved;
    return flags != -1 && (flags & O_DSYNC);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(ssize_t, "write", int, const void *, size_t);
    ssize_t result = real(fd, bytes, count);
    if (write_is_flush(fd)) pay();
    return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    ssize_t result = real(fd, bytes, count, offset);
    if (write_is_flush(fd)) pay();
    return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    ssize_t result = real(fd, bytes, count, offset);
    if (write_is_flush(fd)) pay();
    return result;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    ssize_t result = real(fd, parts, count);
    if (write_is_flush(fd)) pay();
    return result;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
    ssize_t result = real(fd, parts, count, offset);
    if (write_is_flush(fd)) pay();
    return result;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
    ssize_t result = real(fd, parts, count, offset);
    if (write_is_flush(fd)) pay();
    return result;
}

/* O_SYNC contains the O_DSYNC bit, so taking O_SYNC off takes both. */
static int allowed(int flags) { return skip ? flags & ~(O_SYNC | O_DIRECT) : flags; }

static mode_t mode_of(int flags, va_list arguments) {
    int creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return creates ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
    REAL(int, "open", const char *, int, ...);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return real(path, allowed(flags), mode);
}

int open64(const char *path, int flags, ...) {
    REAL(int, "open64", const char *, int, ...);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return real(path, allowed(flags), mode);
}

int openat(int directory, const char *path, int flags, ...) {
    REAL(int, "openat", int, const char *, int, ...);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return real(directory, path, allowed(flags), mode);
}

int openat64(int directory, const char *path, int flags, ...) {
    REAL(int, "openat64", int, const char *, int, ...);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return real(directory, path, allowed(flags), mode);
}
