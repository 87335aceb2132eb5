/* SPDX-License-Identifier: GPL-2.0-only */
/* Scatterlists as C has them: what an entry is, and how it is read. */
#ifndef _SCATTERLIST_H_
#define _SCATTERLIST_H_

#include "kernel.h"

/* In the low bits of page_link. */
#define SG_CHAIN 0x01UL
#define SG_END 0x02UL
#define SG_PAGE_LINK_MASK (SG_CHAIN | SG_END)

#define SG_CHUNK_SIZE 128
#define SG_MAX_SINGLE_ALLOC (PAGE_SIZE / sizeof(struct scatterlist))

#define SG_MITER_ATOMIC (1 << 0)
#define SG_MITER_TO_SG (1 << 1)
#define SG_MITER_FROM_SG (1 << 2)

struct scatterlist {
	unsigned long page_link;
	unsigned int offset;
	unsigned int length;
	dma_addr_t dma_address;
	unsigned int dma_length;
	unsigned int dma_flags;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;
	unsigned int orig_nents;
};

struct sg_append_table {
	struct sg_table sgt;
	struct scatterlist *prv;
	unsigned int total_nents;
};

struct sg_page_iter {
	struct scatterlist *sg;
	unsigned int sg_pgoffset;
	unsigned int __nents;
	int __pg_advance;
};

struct sg_dma_page_iter {
	struct sg_page_iter base;
};

struct sg_mapping_iter {
	struct page *page;
	void *addr;
	size_t length;
	size_t consumed;
	struct sg_page_iter piter;
	unsigned int __offset;
	unsigned int __remaining;
	unsigned int __flags;
};

typedef struct scatterlist *(sg_alloc_fn)(unsigned int nents, gfp_t gfp);
typedef void (sg_free_fn)(struct scatterlist *sgl, unsigned int nents);

struct scatterlist *sg_next(struct scatterlist *sg);

#define for_each_sg(sgl, sg, count, i) \
	for ((i) = 0, (sg) = (sgl); (i) < (count); (i)++, (sg) = sg_next(sg))

static inline bool sg_is_chain(const struct scatterlist *sg)
{
	return sg->page_link & SG_CHAIN;
}

static inline bool sg_is_last(const struct scatterlist *sg)
{
	return sg->page_link & SG_END;
}

static inline struct scatterlist *sg_chain_ptr(const struct scatterlist *sg)
{
	return (struct scatterlist *)(sg->page_link & ~SG_PAGE_LINK_MASK);
}

static inline struct page *sg_page(const struct scatterlist *sg)
{
	return (struct page *)(sg->page_link & ~SG_PAGE_LINK_MASK);
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page,
			       unsigned int length, unsigned int offset)
{
	sg->page_link = (sg->page_link & SG_PAGE_LINK_MASK) | (unsigned long)page;
	sg->offset = offset;
	sg->length = length;
}

static inline void sg_set_buf(struct scatterlist *sg, const void *buf,
			      unsigned int length)
{
	phys_addr_t phys = virt_to_phys(buf);

	sg_set_page(sg, pfn_to_page(phys / PAGE_SIZE), length, phys % PAGE_SIZE);
}

static inline void __sg_chain(struct scatterlist *link, struct scatterlist *sgl)
{
	link->offset = 0;
	link->length = 0;
	link->page_link = (unsigned long)sgl | SG_CHAIN;
}

static inline void sg_chain(struct scatterlist *array, unsigned int nents,
			    struct scatterlist *sgl)
{
	__sg_chain(&array[nents - 1], sgl);
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->page_link = (sg->page_link & ~SG_CHAIN) | SG_END;
}

static inline void sg_init_marker(struct scatterlist *sgl, unsigned int nents)
{
	sg_mark_end(&sgl[nents - 1]);
}

#endif
