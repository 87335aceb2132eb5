/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel C needs to run as a program: every header that emitted files
 * include, as little of each as they use. One CPU runs; locks only watch that
 * they are taken and given in pairs; time passes when run_time() says so.
 */
#ifndef _KERNEL_H_
#define _KERNEL_H_

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned int gfp_t;
typedef unsigned int slab_flags_t;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef int64_t loff_t;

#define U32_MAX ((u32)~0U)
#define U64_MAX ((u64)~0ULL)

#define __percpu

#define ENOMEM 12
#define EINVAL 22
#define MAX_ERRNO 4095

#define ERR_PTR(error) ((void *)(long)(error))
#define PTR_ERR(ptr) ((int)(long)(ptr))
#define IS_ERR(ptr) ((unsigned long)(ptr) >= (unsigned long)-MAX_ERRNO)

#define MODULE_LICENSE(text) struct module_license
#define MODULE_DESCRIPTION(text) struct module_description

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Numbers. */

#define BIT(n) (1UL << (n))
#define GENMASK(high, low) ((~0UL << (low)) & (~0UL >> (63 - (high))))
#define DMA_BIT_MASK(n) ((n) == 64 ? ~0ULL : (1ULL << (n)) - 1)
#define FIELD_GET(mask, word) (((word) & (mask)) >> __builtin_ctzl(mask))
#define FIELD_PREP(mask, value) \
	(((unsigned long)(value) << __builtin_ctzl(mask)) & (mask))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define ALIGN(x, a) ALIGN_DOWN((x) + (__typeof__(x))(a) - 1, a)
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define lower_32_bits(n) ((u32)(n))

/* As wide as the wider of the two. */
#define min(a, b) \
	((__typeof__((a) + (b)))((a) < (b) ? (a) : (b)))
#define max(a, b) \
	((__typeof__((a) + (b)))((a) > (b) ? (a) : (b)))

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#define fls(x) fls64((u32)(x))
#define __ffs64(x) ((unsigned long)__builtin_ctzll(x))
#define ilog2(x) (fls64(x) - 1)

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n <= 1 ? 1 : 1UL << fls64(n - 1);
}

static inline int order_base_2(unsigned long n)
{
	return n > 1 ? fls64(n - 1) : 0;
}

/* What should not be. */

#define BUG_ON(test) \
	do { \
		if (test) { \
			fprintf(stderr, "BUG at %s:%d\n", __FILE__, __LINE__); \
			abort(); \
		} \
	} while (0)
#define BUG() BUG_ON(true)

extern unsigned int warnings;

static inline bool warn_on(bool test)
{
	warnings += test;
	return test;
}

#define WARN_ON(test) warn_on(test)
#define WARN_ONCE(test, ...) warn_on(test)

/* Locks. */

typedef struct {
	bool held;
} spinlock_t;

struct mutex {
	bool held;
};

#define __MUTEX_INITIALIZER(lock) { .held = false }
#define might_sleep() do { } while (0)
#define preempt_disable() do { } while (0)
#define preempt_enable() do { } while (0)

static inline void take(bool *held)
{
	BUG_ON(*held);
	*held = true;
}

static inline void give(bool *held)
{
	BUG_ON(!*held);
	*held = false;
}

#define spin_lock_init(lock) ((lock)->held = false)
#define spin_lock(lock) take(&(lock)->held)
#define spin_unlock(lock) give(&(lock)->held)
#define spin_lock_irqsave(lock, flags) ((flags) = 0, take(&(lock)->held))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), give(&(lock)->held))
#define mutex_lock(lock) take(&(lock)->held)
#define mutex_unlock(lock) give(&(lock)->held)

/* Memory. */

#define GFP_KERNEL 0x0cc0U
#define GFP_ATOMIC 0x0820U
#define GFP_DMA 0x01U
#define __GFP_NOWARN 0x2000U
#define SLAB_HWCACHE_ALIGN 0x2000U

struct kmem_cache {
	size_t size;
};

/* As slab does not, fresh memory says that nobody has written it. */
static inline void *kmalloc(size_t size, gfp_t gfp)
{
	void *p = malloc(size);

	(void)gfp;
	return p ? memset(p, 0xa5, size) : NULL;
}

static inline void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	(void)gfp;
	return calloc(n, size);
}

#define kmalloc_array(n, size, gfp) kmalloc((n) * (size), gfp)
#define kzalloc(size, gfp) kcalloc(1, size, gfp)
#define kfree(ptr) free(ptr)

static inline struct kmem_cache *cache_of(size_t size)
{
	struct kmem_cache *cache = malloc(sizeof(*cache));

	BUG_ON(!cache);
	cache->size = size;
	return cache;
}

#define KMEM_CACHE(name, flags) cache_of(sizeof(struct name))
#define kmem_cache_destroy(cache) free(cache)
#define kmem_cache_alloc(cache, gfp) kmalloc((cache)->size, gfp)
#define kmem_cache_zalloc(cache, gfp) kcalloc(1, (cache)->size, gfp)
#define kmem_cache_free(cache, ptr) ((void)(cache), free(ptr))

/* CPUs. */

#define NR_CPUS 1
#define num_online_cpus() NR_CPUS
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < NR_CPUS; (cpu)++)
#define for_each_online_cpu(cpu) for_each_possible_cpu(cpu)
#define alloc_percpu(type) ((type *)calloc(NR_CPUS, sizeof(type)))
#define free_percpu(ptr) free(ptr)
#define per_cpu_ptr(ptr, cpu) (&(ptr)[cpu])
#define raw_cpu_ptr(ptr) (&(ptr)[0])

/* Lists. */

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

/* Work, and the time that it waits for: a jiffy is a millisecond. */

struct work_struct {
	void (*func)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
	bool pending;
	unsigned long due;
	struct delayed_work *next;
};

#define to_delayed_work(ptr) container_of(ptr, struct delayed_work, work)
#define msecs_to_jiffies(ms) ((unsigned long)(ms))

#define INIT_DELAYED_WORK(dwork, function) \
	((dwork)->work.func = (function), (dwork)->pending = false)

bool schedule_delayed_work(struct delayed_work *dwork, unsigned long delay);
bool cancel_delayed_work_sync(struct delayed_work *dwork);
void run_time(unsigned long ms);

/* Pages: all of them are in one row. */

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)

/* As wide as a word: its address has room for marks. */
struct page {
	unsigned long flags;
};

struct page *pfn_to_page(unsigned long pfn);
unsigned long page_to_pfn(const struct page *page);
void *phys_to_virt(phys_addr_t phys);
phys_addr_t virt_to_phys(const void *address);
struct page *alloc_pages(gfp_t gfp, unsigned int order);
void __free_pages(struct page *page, unsigned int order);

#define page_to_phys(page) ((phys_addr_t)page_to_pfn(page) << PAGE_SHIFT)
#define nth_page(page, n) pfn_to_page(page_to_pfn(page) + (n))
#define virt_to_page(address) pfn_to_page(virt_to_phys(address) >> PAGE_SHIFT)

#endif
