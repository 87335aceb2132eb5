// SPDX-License-Identifier: GPL-2.0-only
/* Work, and memory by its physical address. */
#include "kernel.h"
#include <sys/mman.h>

unsigned int warnings;

static unsigned long now;
static struct delayed_work *waiting;

bool schedule_delayed_work(struct delayed_work *dwork, unsigned long delay)
{
	if (dwork->pending)
		return false;
	dwork->pending = true;
	dwork->due = now + delay;
	dwork->next = waiting;
	waiting = dwork;
	return true;
}

bool cancel_delayed_work_sync(struct delayed_work *dwork)
{
	for (struct delayed_work **p = &waiting; *p; p = &(*p)->next)
		if (*p == dwork) {
			*p = dwork->next;
			dwork->pending = false;
			return true;
		}
	return false;
}

/* What is due within @ms, the earliest first. */
void run_time(unsigned long ms)
{
	unsigned long end = now + ms;

	for (;;) {
		struct delayed_work *first = NULL;

		for (struct delayed_work *d = waiting; d; d = d->next)
			if (d->due <= end && (!first || d->due <= first->due))
				first = d;
		if (!first)
			break;
		now = first->due;
		cancel_delayed_work_sync(first);
		first->work.func(&first->work);
	}
	now = end;
}

/* The first 4 GiB; what nobody touches takes no room. */
#define PAGES (1UL << 20)

static char *memory;
static struct page *pages;

static void *reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	BUG_ON(p == MAP_FAILED);
	return p;
}

struct page *pfn_to_page(unsigned long pfn)
{
	BUG_ON(pfn >= PAGES);
	if (!pages)
		pages = reserve(PAGES * sizeof(*pages));
	return &pages[pfn];
}

unsigned long page_to_pfn(const struct page *page)
{
	return page - pages;
}

void *phys_to_virt(phys_addr_t phys)
{
	BUG_ON(phys >= PAGES * PAGE_SIZE);
	if (!memory)
		memory = reserve(PAGES * PAGE_SIZE);
	return memory + phys;
}

phys_addr_t virt_to_phys(const void *address)
{
	return (const char *)address - memory;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	static unsigned long next = PAGES / 2;
	unsigned long pfn = ALIGN(next, 1UL << order);

	(void)gfp;
	next = pfn + (1UL << order);
	return next <= PAGES ? pfn_to_page(pfn) : NULL;
}

void __free_pages(struct page *page, unsigned int order)
{
	(void)page;
	(void)order;
}
