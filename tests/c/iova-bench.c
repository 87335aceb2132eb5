// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times rounds of the IOVA allocator: iova-bench fast|tree LIVE PAGES BATCH MS
 * prints a round's median and its best, in ns, as tools/bench times the same in
 * TypeScript.
 */
#include "kernel.h"
#include <linux/iova.h>
#include <linux/rbtree.h>
#include <time.h>

/* The last frame below 4 GiB. */
#define LIMIT 0xfffffUL
#define MAX_BATCHES 1000000

static struct iova_domain iovad;
static double batches[MAX_BATCHES];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void fast(unsigned long pages)
{
	free_iova_fast(&iovad, alloc_iova_fast(&iovad, pages, LIMIT, true),
		       pages);
}

static void tree(unsigned long pages)
{
	struct iova *iova = alloc_iova(&iovad, pages, LIMIT, true);

	BUG_ON(!iova);
	free_iova(&iovad, iova->pfn_lo);
}

/* Batches of @round for @ms, each timed; how many. */
static size_t run(void (*round)(unsigned long), unsigned long pages,
		  unsigned long batch, double ms)
{
	double end = now() + ms * 1e6;
	size_t n = 0;

	while (n < MAX_BATCHES) {
		double start = now();

		if (n && start >= end)
			break;
		for (unsigned long i = 0; i < batch; i++)
			round(pages);
		batches[n++] = (now() - start) / batch;
	}
	return n;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	BUG_ON(argc != 6);

	void (*round)(unsigned long) = strcmp(argv[1], "fast") ? tree : fast;
	unsigned long live = strtoul(argv[2], NULL, 0);
	unsigned long pages = strtoul(argv[3], NULL, 0);
	unsigned long batch = strtoul(argv[4], NULL, 0);
	double ms = strtod(argv[5], NULL);
	size_t n;

	BUG_ON(iova_cache_get());
	init_iova_domain(&iovad, PAGE_SIZE, 1);
	BUG_ON(iova_domain_init_rcaches(&iovad));
	while (live--)
		BUG_ON(!alloc_iova(&iovad, pages, LIMIT, true));

	run(round, pages, batch, ms / 2);
	n = run(round, pages, batch, ms);
	qsort(batches, n, sizeof(*batches), ascending);
	printf("%.3f %.3f\n", batches[n / 2], batches[0]);
	return 0;
}
