// SPDX-License-Identifier: GPL-2.0-only
/* Plays steps of the IOVA allocator: a command a line, its answer a line. */
#include "kernel.h"
#include <linux/iova.h>
#include <linux/rbtree.h>
#include "steps.h"

#define DOMAINS 64
#define SLOTS 65536

/* What an allocation left. */
struct allocation {
	bool used;
	struct iova *object;
	unsigned long pfn, size;
};

static struct iova_domain domains[DOMAINS];
static struct allocation allocations[SLOTS];

static void say_range(const struct iova *iova)
{
	if (iova)
		printf("[\"0x%lx\",\"0x%lx\"]", iova->pfn_lo, iova->pfn_hi);
	else
		printf("null");
}

static struct iova_domain *domain(void)
{
	unsigned long n = number();

	BUG_ON(n >= DOMAINS);
	return &domains[n];
}

static struct allocation *allocation(void)
{
	unsigned long n = number();

	BUG_ON(n >= SLOTS);
	return &allocations[n];
}

/* A domain of @granule bytes a frame, from @start on; its caches, if wanted. */
static void init(void)
{
	struct iova_domain *iovad = domain();
	unsigned long granule = number();
	unsigned long start = number();

	memset(iovad, 0xa5, sizeof(*iovad));
	iovad->rcaches = NULL;
	init_iova_domain(iovad, granule, start);
	printf("{\"ret\":%d,", number() ? iova_domain_init_rcaches(iovad) : 0);
	printf("\"dma_32bit_pfn\":\"0x%lx\"}", iovad->dma_32bit_pfn);
}

static void allocate(bool fast)
{
	struct iova_domain *iovad = domain();
	struct allocation *a = allocation();
	unsigned long size = number();
	unsigned long limit = number();
	bool flag = number();
	struct iova *object = NULL;
	unsigned long pfn;

	if (fast) {
		pfn = alloc_iova_fast(iovad, size, limit, flag);
	} else {
		object = alloc_iova(iovad, size, limit, flag);
		pfn = object ? object->pfn_lo : 0;
	}
	if (!pfn) {
		printf("0");
		return;
	}
	*a = (struct allocation){ true, object, pfn, size };
	printf("\"0x%lx\"", pfn);
}

static void release(void)
{
	struct iova_domain *iovad = domain();
	struct allocation *a = allocation();
	unsigned long how = number();

	if (!a->used) {
		printf("\"skip\"");
		return;
	}
	if (how == 0)
		free_iova_fast(iovad, a->pfn, a->size);
	else if (how == 2 && a->object)
		__free_iova(iovad, a->object);
	else
		free_iova(iovad, a->pfn);
	a->used = false;
	printf("1");
}

static void find_by_allocation(void)
{
	struct iova_domain *iovad = domain();
	const struct allocation *a = allocation();

	if (a->used)
		say_range(find_iova(iovad, a->pfn + number()));
	else
		printf("\"skip\"");
}

static void reserve(void)
{
	struct iova_domain *iovad = domain();
	unsigned long lo = number();

	say_range(reserve_iova(iovad, lo, number()));
}

static void dump(void)
{
	struct iova_domain *iovad = domain();
	const char *comma = "";

	printf("[");
	for (struct rb_node *n = rb_first(&iovad->rbroot); n; n = rb_next(n)) {
		const struct iova *iova = container_of(n, struct iova, node);

		if (iova == &iovad->anchor)
			continue;
		printf("%s", comma);
		say_range(iova);
		comma = ",";
	}
	printf("]");
}

bool play(const char *command)
{
	struct iova_domain *iovad;

	if (!strcmp(command, "Vinit")) {
		init();
	} else if (!strcmp(command, "Va")) {
		allocate(false);
	} else if (!strcmp(command, "Vaf")) {
		allocate(true);
	} else if (!strcmp(command, "Vfree")) {
		release();
	} else if (!strcmp(command, "Vfp")) {
		iovad = domain();
		free_iova(iovad, number());
		printf("1");
	} else if (!strcmp(command, "Vfind")) {
		iovad = domain();
		say_range(find_iova(iovad, number()));
	} else if (!strcmp(command, "Vfindo")) {
		find_by_allocation();
	} else if (!strcmp(command, "Vresv")) {
		reserve();
	} else if (!strcmp(command, "Vdump")) {
		dump();
	} else if (!strcmp(command, "Vstate")) {
		printf("{\"max32_alloc_size\":\"0x%lx\"}",
		       domain()->max32_alloc_size);
	} else if (!strcmp(command, "Vput")) {
		put_iova_domain(domain());
		printf("0");
	} else if (!strcmp(command, "sleep")) {
		run_time(number());
		printf("0");
	} else {
		return false;
	}
	return true;
}

void prepare(void)
{
	BUG_ON(iova_cache_get());
}
