/* Threads of each operating system, which work together and wait for one
 * another. */
#include "base/base.h"

#define THREADS_MAX 64

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <process.h>
#include <windows.h>

typedef HANDLE thread;
typedef SRWLOCK lock;
typedef CONDITION_VARIABLE condition;

#define LOCK_NEW SRWLOCK_INIT
#define CONDITION_NEW CONDITION_VARIABLE_INIT
#define MEMBER unsigned __stdcall
#define MEMBER_END 0

static bool
thread_start(thread *out, MEMBER member(void *), void *with)
{
    *out = (thread)_beginthreadex(NULL, 0, member, with, 0, NULL);
    return *out != NULL;
}

static void
thread_join(thread of)
{
    WaitForSingleObject(of, INFINITE);
    CloseHandle(of);
}

static void
lock_take(lock *of)
{
    AcquireSRWLockExclusive(of);
}

static void
lock_give(lock *of)
{
    ReleaseSRWLockExclusive(of);
}

static void
condition_wait(condition *of, lock *held)
{
    SleepConditionVariableSRW(of, held, INFINITE, 0);
}

static void
condition_tell(condition *of)
{
    WakeAllConditionVariable(of);
}

static void
forget(lock *one, condition *other)
{
    (void)one;
    (void)other;
}

#else

#include <pthread.h>

typedef pthread_t thread;
typedef pthread_mutex_t lock;
typedef pthread_cond_t condition;

#define LOCK_NEW PTHREAD_MUTEX_INITIALIZER
#define CONDITION_NEW PTHREAD_COND_INITIALIZER
#define MEMBER void *
#define MEMBER_END NULL

static bool
thread_start(thread *out, MEMBER member(void *), void *with)
{
    return pthread_create(out, NULL, member, with) == 0;
}

static void
thread_join(thread of)
{
    pthread_join(of, NULL);
}

static void
lock_take(lock *of)
{
    pthread_mutex_lock(of);
}

static void
lock_give(lock *of)
{
    pthread_mutex_unlock(of);
}

static void
condition_wait(condition *of, lock *held)
{
    pthread_cond_wait(of, held);
}

static void
condition_tell(condition *of)
{
    pthread_cond_broadcast(of);
}

static void
forget(lock *one, condition *other)
{
    pthread_cond_destroy(other);
    pthread_mutex_destroy(one);
}

#endif

struct threads_team {
    threads_work *work;
    void *with;
    lock lock;
    condition all_there;
    unsigned size, numbers, waiting, turn;
};

void
fb_threads_wait(threads_team *of)
{
    lock_take(&of->lock);
    unsigned turn = of->turn;
    if (++of->waiting == of->size) {
        of->waiting = 0;
        of->turn++;
        condition_tell(&of->all_there);
    }
    while (of->turn == turn) {
        condition_wait(&of->all_there, &of->lock);
    }
    lock_give(&of->lock);
}

/* The size is not known before the lock can be taken. */
static void
team_work(threads_team *of)
{
    lock_take(&of->lock);
    unsigned number = of->numbers++;
    lock_give(&of->lock);
    of->work(of, number, of->size, of->with);
}

static MEMBER
team_member(void *of)
{
    team_work(of);
    return MEMBER_END;
}

void
fb_threads_run(unsigned most, threads_work *work, void *with)
{
    thread others[THREADS_MAX];
    unsigned count = 0;
    threads_team all = {.work = work,
                        .with = with,
                        .lock = LOCK_NEW,
                        .all_there = CONDITION_NEW};
    lock_take(&all.lock);
    while (count < THREADS_MAX && count + 1 < most
           && thread_start(&others[count], team_member, &all)) {
        count++;
    }
    all.size = count + 1;
    lock_give(&all.lock);
    team_work(&all);
    for (unsigned i = 0; i < count; i++) {
        thread_join(others[i]);
    }
    forget(&all.lock, &all.all_there);
}
