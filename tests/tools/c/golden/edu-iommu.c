// SPDX-License-Identifier: GPL-2.0-only
/*
 * The teaching IOMMU: several domains, two page sizes, a command and an event
 * queue. No twin in Linux: written from Documentation/edu-iommu.md, in the
 * manner of Linux 6.12's drivers.
 */

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/container_of.h>
#include <linux/dev_printk.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/iopoll.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "iommu-pages.h"

/* What the block can do. */
#define EDU_ID_REG		0x00
#define EDU_ID_STREAMS_LG2	GENMASK(15, 8)
#define EDU_ID_DOMAINS_LG2	GENMASK(23, 16)

#define EDU_CTRL_REG	0x04
#define EDU_CTRL_ENABLE	BIT(0)
#define EDU_STATUS_REG	0x08

/* Frame numbers: addresses in units of 4 KiB. */
#define EDU_STAB_BASE_REG	0x10
#define EDU_CMDQ_BASE_REG	0x20
#define EDU_CMDQ_SIZE_REG	0x24
#define EDU_CMDQ_PROD_REG	0x28
#define EDU_CMDQ_CONS_REG	0x2c
#define EDU_EVTQ_BASE_REG	0x30
#define EDU_EVTQ_SIZE_REG	0x34
#define EDU_EVTQ_PROD_REG	0x38
#define EDU_EVTQ_CONS_REG	0x3c

/* Status bits are cleared by writing 1. */
#define EDU_INT_STATUS_REG	0x40
#define EDU_INT_ENABLE_REG	0x44
#define EDU_INT_EVENT		BIT(0)
#define EDU_INT_OVERFLOW	BIT(1)
#define EDU_INT_COMMAND		BIT(2)
#define EDU_INT_ALL \
	(EDU_INT_EVENT | EDU_INT_OVERFLOW | EDU_INT_COMMAND)

/*
 * A stream-table entry: two words, the first of which says whether the second
 * counts.
 */
#define EDU_STREAM_WORDS		2
#define EDU_STREAM_VALID		BIT(0)
#define EDU_STREAM_MODE			GENMASK(2, 1)
#define EDU_STREAM_MODE_REFUSE		0
#define EDU_STREAM_MODE_BYPASS		1
#define EDU_STREAM_MODE_TRANSLATE	2
#define EDU_STREAM_DOMAIN		GENMASK(11, 8)

/* Commands and events are records of four words. */
#define EDU_RECORD_WORDS	4
#define EDU_QUEUE_LG2		8
#define EDU_QUEUE_RECORDS	(1 << EDU_QUEUE_LG2)
#define EDU_QUEUE_BYTES		(EDU_QUEUE_RECORDS * EDU_RECORD_WORDS * 4)
#define EDU_QUEUE_POSITION	GENMASK(EDU_QUEUE_LG2, 0)
#define EDU_QUEUE_INDEX		GENMASK(EDU_QUEUE_LG2 - 1, 0)
#define EDU_QUEUE_WRAP		BIT(EDU_QUEUE_LG2)

#define EDU_CMD_INV_STREAM		1
#define EDU_CMD_INV_DOMAIN		2
#define EDU_CMD_INV_RANGE		3
#define EDU_CMD_INV_RANGE_TABLES	BIT(8)
#define EDU_CMD_SYNC			4
#define EDU_CMD_TIMEOUT_US		100000

#define EDU_EVENT_REASON	GENMASK(7, 0)
#define EDU_EVENT_STREAM	1
#define EDU_EVENT_TRANSLATION	2
#define EDU_EVENT_WRITE		BIT(8)

#define EDU_FRAME_SHIFT	12

/* What the driver knows of one stream. */
struct edu_iommu_stream {
	/* Whose it is; null: nobody's. */
	struct device *dev;
	struct iommu_domain *domain;
};

/* One IOMMU block. */
struct edu_iommu {
	struct iommu_device iommu;
	struct device *dev;
	void __iomem *base;
	unsigned int nr_streams;
	/* Guards streams[] and the stream table. */
	spinlock_t stream_lock;
	struct edu_iommu_stream *streams;
	u32 *stab;
	/* The numbers that translations are tagged with. */
	unsigned int max_domain;
	struct ida domain_ids;
	/* Guards the command queue. */
	spinlock_t cmdq_lock;
	u32 *cmdq;
	u32 cmdq_prod;
	u32 *evtq;
	u32 evtq_cons;
};

/* One address space. */
struct edu_iommu_domain {
	struct iommu_domain domain;
	struct edu_iommu *iommu;
	unsigned int id;
	/*
	 * A level-1 word that names a table is stored, and cleaned, under it.
	 */
	spinlock_t lock;
	/* The level-1 table. */
	u32 *root;
};

static struct edu_iommu_domain *to_edu_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct edu_iommu_domain, domain);
}

static u32 edu_read(struct edu_iommu *iommu, u32 offset)
{
	return readl(iommu->base + offset);
}

static void edu_write(struct edu_iommu *iommu, u32 offset, u32 value)
{
	writel(value, iommu->base + offset);
}

static u32 edu_frame(phys_addr_t phys)
{
	return phys >> EDU_FRAME_SHIFT;
}

/*
 * Page tables: two levels of 1,024 words.
 *
 *  31            22 21            12 11             0
 * +---------------+----------------+---------------+
 * | level-1 index | level-2 index  | offset        |
 * +---------------+----------------+---------------+
 *
 *  31                                4   3     2   1   0
 * +---------------------------------+-------+---+---+-------+
 * | frame number                    | LARGE | W | R | VALID |
 * +---------------------------------+-------+---+---+-------+
 */
#define EDU_TABLE_WORDS	1024
#define EDU_L1_INDEX	GENMASK(31, 22)
#define EDU_L2_INDEX	GENMASK(21, 12)

#define EDU_PTE_VALID	BIT(0)
#define EDU_PTE_READ	BIT(1)
#define EDU_PTE_WRITE	BIT(2)
#define EDU_PTE_LARGE	BIT(3)
#define EDU_PTE_FRAME	GENMASK(31, 4)

/* Which level-1 word is for @iova. */
static u32 edu_l1_index(unsigned long iova)
{
	return FIELD_GET(EDU_L1_INDEX, iova);
}

static u32 edu_l2_index(unsigned long iova)
{
	return FIELD_GET(EDU_L2_INDEX, iova);
}

static bool edu_pte_is_valid(u32 pte)
{
	return pte & EDU_PTE_VALID;
}

static bool edu_pte_is_table(u32 pte)
{
	return (pte & (EDU_PTE_VALID | EDU_PTE_LARGE)) == EDU_PTE_VALID;
}

static phys_addr_t edu_pte_phys(u32 pte)
{
	return FIELD_GET(EDU_PTE_FRAME, pte) << EDU_FRAME_SHIFT;
}

/* The level-2 table that @pte, a level-1 word, names. */
static u32 *edu_pte_table(u32 pte)
{
	return phys_to_virt(edu_pte_phys(pte));
}

static u32 edu_mk_table(phys_addr_t phys)
{
	return FIELD_PREP(EDU_PTE_FRAME, edu_frame(phys)) | EDU_PTE_VALID;
}

static u32 edu_mk_pte(phys_addr_t phys, size_t size, int prot)
{
	u32 pte = FIELD_PREP(EDU_PTE_FRAME, edu_frame(phys)) | EDU_PTE_VALID;

	if (prot & IOMMU_READ)
		pte |= EDU_PTE_READ;
	if (prot & IOMMU_WRITE)
		pte |= EDU_PTE_WRITE;
	if (size == SZ_4M)
		pte |= EDU_PTE_LARGE;
	return pte;
}

/* Have the walker see the @count words of @table from @index on. */
static void edu_table_flush(struct edu_iommu *iommu, u32 *table, u32 index,
			    unsigned int count)
{
	dma_addr_t dma = virt_to_phys(table) + index * 4;

	dma_sync_single_for_device(iommu->dev, dma, count * 4, DMA_TO_DEVICE);
}

/* A table for the walker, empty; null: no memory. */
static u32 *edu_alloc_table(struct edu_iommu *iommu, gfp_t gfp)
{
	void *page;
	u32 *table;
	dma_addr_t dma;

	page = iommu_alloc_page(gfp);
	if (!page)
		return NULL;

	table = page;
	dma = dma_map_single(iommu->dev, table, SZ_4K, DMA_TO_DEVICE);
	/*
	 * The walker reads physical addresses: anything between would be wrong.
	 */
	if (!dma_mapping_error(iommu->dev, dma) && dma == virt_to_phys(table))
		return table;

	if (!dma_mapping_error(iommu->dev, dma))
		dma_unmap_single(iommu->dev, dma, SZ_4K, DMA_TO_DEVICE);
	iommu_free_page(table);
	return NULL;
}

static void edu_free_table(struct edu_iommu *iommu, u32 *table)
{
	dma_unmap_single(iommu->dev, virt_to_phys(table), SZ_4K, DMA_TO_DEVICE);
	iommu_free_page(table);
}

/* Wait until CONS is @cons, or anywhere else than there (@away). */
static int edu_cmdq_wait(struct edu_iommu *iommu, u32 cons, bool away)
{
	u32 val;

	return readl_poll_timeout_atomic(iommu->base + EDU_CMDQ_CONS_REG, val,
					 (val == cons) != away, 1,
					 EDU_CMD_TIMEOUT_US);
}

/*
 * Put one command into the queue; @iommu's cmdq_lock is held. -ETIMEDOUT: the
 * queue is full and stays so.
 */
static int edu_cmdq_put(struct edu_iommu *iommu, u32 word, u32 target,
			u32 first, u32 last)
{
	u32 full = iommu->cmdq_prod ^ EDU_QUEUE_WRAP;
	int ret;
	u32 at;

	ret = edu_cmdq_wait(iommu, full, true);
	if (ret)
		return ret;

	at = (iommu->cmdq_prod & EDU_QUEUE_INDEX) * EDU_RECORD_WORDS;
	iommu->cmdq[at] = word;
	iommu->cmdq[at + 1] = target;
	iommu->cmdq[at + 2] = first;
	iommu->cmdq[at + 3] = last;
	iommu->cmdq_prod = (iommu->cmdq_prod + 1) & EDU_QUEUE_POSITION;
	edu_write(iommu, EDU_CMDQ_PROD_REG, iommu->cmdq_prod);
	return 0;
}

/* Execute one command, and wait until it has taken effect. */
static void edu_cmdq_issue(struct edu_iommu *iommu, u32 word, u32 target,
			   u32 first, u32 last)
{
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&iommu->cmdq_lock, flags);
	ret = edu_cmdq_put(iommu, word, target, first, last);
	if (!ret)
		ret = edu_cmdq_put(iommu, EDU_CMD_SYNC, 0, 0, 0);
	if (!ret)
		ret = edu_cmdq_wait(iommu, iommu->cmdq_prod, false);
	spin_unlock_irqrestore(&iommu->cmdq_lock, flags);

	if (ret)
		dev_err_ratelimited(iommu->dev, "command %#x timed out\n",
				    word);
}

static void edu_iommu_flush_iotlb_all(struct iommu_domain *domain)
{
	struct edu_iommu_domain *edu_domain = to_edu_domain(domain);

	edu_cmdq_issue(edu_domain->iommu, EDU_CMD_INV_DOMAIN, edu_domain->id, 0,
		       0);
}

/* Have the walker look anew at a range, level-1 words too. */
static void edu_forget_tables(struct edu_iommu_domain *edu_domain,
			      unsigned long iova, size_t size)
{
	u32 word = EDU_CMD_INV_RANGE | EDU_CMD_INV_RANGE_TABLES;

	edu_cmdq_issue(edu_domain->iommu, word, edu_domain->id, iova,
		       iova + size - 1);
}

/*
 * What was invalid may be cached as such: level-1 words, too, of tables that
 * are new.
 */
static int edu_iommu_iotlb_sync_map(struct iommu_domain *domain,
				    unsigned long iova, size_t size)
{
	if (size)
		edu_forget_tables(to_edu_domain(domain), iova, size);
	return 0;
}

static void edu_iommu_iotlb_sync(struct iommu_domain *domain,
				 struct iommu_iotlb_gather *gather)
{
	struct edu_iommu_domain *edu_domain = to_edu_domain(domain);

	/* Nothing was unmapped. */
	if (!gather->pgsize)
		return;
	edu_cmdq_issue(edu_domain->iommu, EDU_CMD_INV_RANGE, edu_domain->id,
		       gather->start, gather->end);
}

/*
 * The level-2 table for @iova, made if need be. Under the domain's lock: who
 * finds a table has to know that the walker can find it, too.
 */
static u32 *edu_get_table(struct edu_iommu_domain *edu_domain,
			  unsigned long iova, gfp_t gfp)
{
	struct edu_iommu *iommu = edu_domain->iommu;
	u32 *root = edu_domain->root;
	u32 index = edu_l1_index(iova);
	unsigned long flags;
	u32 pte;
	u32 *table;

	spin_lock_irqsave(&edu_domain->lock, flags);
	pte = root[index];
	spin_unlock_irqrestore(&edu_domain->lock, flags);
	if (edu_pte_is_table(pte))
		return edu_pte_table(pte);
	if (edu_pte_is_valid(pte))
		return ERR_PTR(-EEXIST);

	table = edu_alloc_table(iommu, gfp);
	if (!table)
		return ERR_PTR(-ENOMEM);

	spin_lock_irqsave(&edu_domain->lock, flags);
	pte = root[index];
	if (!edu_pte_is_valid(pte)) {
		root[index] = edu_mk_table(virt_to_phys(table));
		edu_table_flush(iommu, root, index, 1);
	}
	spin_unlock_irqrestore(&edu_domain->lock, flags);
	if (!edu_pte_is_valid(pte))
		return table;

	/* Another was quicker. */
	edu_free_table(iommu, table);
	return edu_pte_is_table(pte) ? edu_pte_table(pte) : ERR_PTR(-EEXIST);
}

/*
 * Take the level-2 table at @index away if nothing is mapped in it: a large
 * page can then take its place.
 */
static bool edu_drop_table(struct edu_iommu_domain *edu_domain, u32 index)
{
	struct edu_iommu *iommu = edu_domain->iommu;
	u32 *root = edu_domain->root;
	u32 *table = edu_pte_table(root[index]);
	int i;

	for (i = 0; i < EDU_TABLE_WORDS; i++) {
		if (edu_pte_is_valid(table[i]))
			return false;
	}

	root[index] = 0;
	edu_table_flush(iommu, root, index, 1);
	edu_forget_tables(edu_domain, FIELD_PREP(EDU_L1_INDEX, index), SZ_4M);
	edu_free_table(iommu, table);
	return true;
}

/* Map one page of @size. */
static int edu_map_page(struct edu_iommu_domain *edu_domain, unsigned long iova,
			phys_addr_t paddr, size_t size, int prot, gfp_t gfp)
{
	struct edu_iommu *iommu = edu_domain->iommu;
	u32 *table = edu_domain->root;
	u32 index = edu_l1_index(iova);

	if (size == SZ_4M) {
		if (edu_pte_is_table(table[index]) &&
		    !edu_drop_table(edu_domain, index))
			return -EEXIST;
	} else {
		table = edu_get_table(edu_domain, iova, gfp);
		if (IS_ERR(table))
			return PTR_ERR(table);
		index = edu_l2_index(iova);
	}
	if (edu_pte_is_valid(table[index])) {
		phys_addr_t phys = edu_pte_phys(table[index]);

		dev_err(iommu->dev, "iova %#lx already mapped to %pa\n", iova,
			&phys);
		return -EEXIST;
	}

	table[index] = edu_mk_pte(paddr, size, prot);
	edu_table_flush(iommu, table, index, 1);
	return 0;
}

static int edu_iommu_map_pages(struct iommu_domain *domain, unsigned long iova,
			       phys_addr_t paddr, size_t pgsize, size_t pgcount,
			       int prot, gfp_t gfp, size_t *mapped)
{
	struct edu_iommu_domain *edu_domain = to_edu_domain(domain);
	size_t last = pgcount * pgsize - 1;
	size_t i;

	if (iova + last > DMA_BIT_MASK(32) || paddr + last > DMA_BIT_MASK(40))
		return -ERANGE;

	for (i = 0; i < pgcount; i++) {
		size_t at = i * pgsize;
		int ret;

		ret = edu_map_page(edu_domain, iova + at, paddr + at, pgsize,
				   prot, gfp);
		if (ret) {
			/*
			 * No iotlb_sync_map() follows, and the tables that were
			 * made stay.
			 */
			edu_iommu_flush_iotlb_all(domain);
			return ret;
		}
		*mapped += pgsize;
	}
	return 0;
}

/*
 * Unmap up to the first page that is not mapped. The core chooses @pgsize by
 * the addresses: a range of a large page may have been mapped by small ones.
 * Part of a large page stays. Tables stay.
 */
static size_t edu_iommu_unmap_pages(struct iommu_domain *domain,
				    unsigned long iova, size_t pgsize,
				    size_t pgcount,
				    struct iommu_iotlb_gather *gather)
{
	struct edu_iommu_domain *edu_domain = to_edu_domain(domain);
	struct edu_iommu *iommu = edu_domain->iommu;
	u32 *root = edu_domain->root;
	size_t size = 0;
	size_t done;

	for (done = 0; done < pgcount * pgsize; done += size) {
		unsigned long at = iova + done;
		u32 *table = root;
		u32 index = edu_l1_index(at);

		size = SZ_4M;
		if (edu_pte_is_table(root[index])) {
			table = edu_pte_table(root[index]);
			index = edu_l2_index(at);
			size = SZ_4K;
		}
		if (size > pgsize || !edu_pte_is_valid(table[index]))
			return done;

		table[index] = 0;
		edu_table_flush(iommu, table, index, 1);
		if (!iommu_iotlb_gather_queued(gather))
			iommu_iotlb_gather_add_page(domain, gather, at, size);
	}
	return pgcount * pgsize;
}

static phys_addr_t edu_iommu_iova_to_phys(struct iommu_domain *domain,
					  dma_addr_t iova)
{
	u32 *root = to_edu_domain(domain)->root;
	dma_addr_t at = iova;
	u32 pte;
	size_t size;

	if (at > DMA_BIT_MASK(32))
		return 0;
	pte = root[edu_l1_index(at)];
	size = SZ_4M;
	if (edu_pte_is_table(pte)) {
		pte = edu_pte_table(pte)[edu_l2_index(at)];
		size = SZ_4K;
	}
	return edu_pte_is_valid(pte) ? edu_pte_phys(pte) + at % size : 0;
}

static bool edu_stream_translates(u32 word);

/*
 * Tell the hardware what becomes of @sid. Only words[0] of a live entry may
 * change without a detour.
 */
static void edu_write_stream(struct edu_iommu *iommu, u32 sid, u32 word,
			     u32 root)
{
	u32 at = sid * EDU_STREAM_WORDS;
	u32 *stab = iommu->stab;

	if (edu_stream_translates(stab[at]) && stab[at + 1] != root) {
		stab[at] = 0;
		edu_cmdq_issue(iommu, EDU_CMD_INV_STREAM, sid, 0, 0);
	}
	stab[at + 1] = root;
	stab[at] = word;
	edu_cmdq_issue(iommu, EDU_CMD_INV_STREAM, sid, 0, 0);
}

static bool edu_stream_translates(u32 word)
{
	return FIELD_GET(EDU_STREAM_MODE, word) == EDU_STREAM_MODE_TRANSLATE;
}

/*
 * Put all streams of @dev into @domain, which is known to the hardware as @word
 * and @root.
 */
static void edu_attach_streams(struct device *dev, struct iommu_domain *domain,
			       u32 word, u32 root)
{
	struct edu_iommu *iommu = dev_iommu_priv_get(dev);
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	unsigned int i;

	for (i = 0; i < fwspec->num_ids; i++) {
		u32 sid = fwspec->ids[i];
		unsigned long flags;

		spin_lock_irqsave(&iommu->stream_lock, flags);
		iommu->streams[sid].domain = domain;
		edu_write_stream(iommu, sid, word, root);
		spin_unlock_irqrestore(&iommu->stream_lock, flags);
	}
}

static int edu_iommu_attach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct edu_iommu_domain *edu_domain = to_edu_domain(domain);
	u32 word;

	if (edu_domain->iommu != dev_iommu_priv_get(dev))
		return -EINVAL;

	word = EDU_STREAM_VALID |
	       FIELD_PREP(EDU_STREAM_MODE, EDU_STREAM_MODE_TRANSLATE) |
	       FIELD_PREP(EDU_STREAM_DOMAIN, edu_domain->id);
	edu_attach_streams(dev, domain, word,
			   edu_frame(virt_to_phys(edu_domain->root)));
	return 0;
}

static int edu_iommu_identity_attach(struct iommu_domain *domain,
				     struct device *dev)
{
	u32 word = EDU_STREAM_VALID |
		   FIELD_PREP(EDU_STREAM_MODE, EDU_STREAM_MODE_BYPASS);

	edu_attach_streams(dev, domain, word, 0);
	return 0;
}

static const struct iommu_domain_ops edu_iommu_identity_ops = {
	.attach_dev = edu_iommu_identity_attach,
};

static struct iommu_domain edu_iommu_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &edu_iommu_identity_ops,
};

static int edu_iommu_blocked_attach(struct iommu_domain *domain,
				    struct device *dev)
{
	u32 word = EDU_STREAM_VALID |
		   FIELD_PREP(EDU_STREAM_MODE, EDU_STREAM_MODE_REFUSE);

	edu_attach_streams(dev, domain, word, 0);
	return 0;
}

static const struct iommu_domain_ops edu_iommu_blocked_ops = {
	.attach_dev = edu_iommu_blocked_attach,
};

static struct iommu_domain edu_iommu_blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &edu_iommu_blocked_ops,
};

static struct iommu_domain *edu_iommu_domain_alloc_paging(struct device *dev)
{
	struct edu_iommu *iommu;
	struct edu_iommu_domain *edu_domain;
	int id;
	u32 *root;

	if (!dev)
		return NULL;
	iommu = dev_iommu_priv_get(dev);

	edu_domain = kzalloc(sizeof(*edu_domain), GFP_KERNEL);
	if (!edu_domain)
		return NULL;
	edu_domain->iommu = iommu;
	spin_lock_init(&edu_domain->lock);

	id = ida_alloc_max(&iommu->domain_ids, iommu->max_domain, GFP_KERNEL);
	if (id < 0)
		goto err_free_domain;
	edu_domain->id = id;

	root = edu_alloc_table(iommu, GFP_KERNEL);
	if (!root) {
		ida_free(&iommu->domain_ids, id);
		goto err_free_domain;
	}
	edu_domain->root = root;
	edu_domain->domain.geometry.aperture_start = 0;
	edu_domain->domain.geometry.aperture_end = DMA_BIT_MASK(32);
	edu_domain->domain.geometry.force_aperture = true;
	return &edu_domain->domain;

err_free_domain:
	kfree(edu_domain);
	return NULL;
}

static void edu_iommu_domain_free(struct iommu_domain *domain)
{
	struct edu_iommu_domain *edu_domain = to_edu_domain(domain);
	struct edu_iommu *iommu = edu_domain->iommu;
	u32 *root = edu_domain->root;
	int i;

	/*
	 * Nothing that is cached may outlive the tables, nor meet the next
	 * domain with this number.
	 */
	edu_iommu_flush_iotlb_all(domain);
	for (i = 0; i < EDU_TABLE_WORDS; i++) {
		if (edu_pte_is_table(root[i]))
			edu_free_table(iommu, edu_pte_table(root[i]));
	}
	edu_free_table(iommu, root);
	ida_free(&iommu->domain_ids, edu_domain->id);
	kfree(edu_domain);
}

static bool edu_iommu_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_DEFERRED_FLUSH;
}

static struct iommu_device *edu_iommu_probe_device(struct device *dev)
{
	struct edu_iommu *iommu = dev_iommu_priv_get(dev);
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	unsigned int i;

	if (!iommu || !fwspec)
		return ERR_PTR(-ENODEV);

	for (i = 0; i < fwspec->num_ids; i++) {
		u32 sid = fwspec->ids[i];

		if (sid >= iommu->nr_streams) {
			dev_err(dev, "stream %u: this IOMMU has 0 to %u\n", sid,
				iommu->nr_streams - 1);
			return ERR_PTR(-EINVAL);
		}
		/* Two devices behind one stream could not be told apart. */
		if (iommu->streams[sid].dev && iommu->streams[sid].dev != dev) {
			dev_err(dev, "stream %u is %s's\n", sid,
				dev_name(iommu->streams[sid].dev));
			return ERR_PTR(-EINVAL);
		}
	}
	for (i = 0; i < fwspec->num_ids; i++)
		iommu->streams[fwspec->ids[i]].dev = dev;
	return &iommu->iommu;
}

static void edu_iommu_release_device(struct device *dev)
{
	struct edu_iommu *iommu = dev_iommu_priv_get(dev);
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&iommu->stream_lock, flags);
	for (i = 0; i < fwspec->num_ids; i++) {
		iommu->streams[fwspec->ids[i]].dev = NULL;
		iommu->streams[fwspec->ids[i]].domain = NULL;
	}
	spin_unlock_irqrestore(&iommu->stream_lock, flags);
}

static int edu_iommu_of_xlate(struct device *dev,
			      const struct of_phandle_args *args)
{
	struct platform_device *iommu_pdev;

	iommu_pdev = of_find_device_by_node(args->np);

	dev_iommu_priv_set(dev, platform_get_drvdata(iommu_pdev));
	put_device(&iommu_pdev->dev);

	return iommu_fwspec_add_ids(dev, args->args, 1);
}

static const struct iommu_ops edu_iommu_ops = {
	.identity_domain = &edu_iommu_identity_domain,
	.blocked_domain = &edu_iommu_blocked_domain,
	.release_domain = &edu_iommu_blocked_domain,
	.pgsize_bitmap = SZ_4K | SZ_4M,
	.capable = edu_iommu_capable,
	.device_group = generic_device_group,
	.domain_alloc_paging = edu_iommu_domain_alloc_paging,
	.of_xlate = edu_iommu_of_xlate,
	.probe_device = edu_iommu_probe_device,
	.release_device = edu_iommu_release_device,
	.default_domain_ops = &(const struct iommu_domain_ops) {
		.attach_dev = edu_iommu_attach_dev,
		.flush_iotlb_all = edu_iommu_flush_iotlb_all,
		.iotlb_sync_map = edu_iommu_iotlb_sync_map,
		.iotlb_sync = edu_iommu_iotlb_sync,
		.iova_to_phys = edu_iommu_iova_to_phys,
		.map_pages = edu_iommu_map_pages,
		.unmap_pages = edu_iommu_unmap_pages,
		.free = edu_iommu_domain_free,
	},
	.owner = THIS_MODULE,
};

/* Report the event in the four words from @at on. */
static void edu_iommu_report(struct edu_iommu *iommu, unsigned int at)
{
	u32 reason = FIELD_GET(EDU_EVENT_REASON, iommu->evtq[at]);
	bool write = (iommu->evtq[at] & EDU_EVENT_WRITE) != 0;
	u32 sid = iommu->evtq[at + 1];
	u32 iova = iommu->evtq[at + 2];
	unsigned long flags;
	struct device *dev;
	struct iommu_domain *domain;

	dev_err_ratelimited(iommu->dev, "stream %u: %s %s 0x%08x\n", sid,
			    reason == EDU_EVENT_STREAM ? "no domain:" :
			    reason == EDU_EVENT_TRANSLATION ? "not mapped:" :
			    "no right:", write ? "write to" : "read of", iova);
	if (sid >= iommu->nr_streams)
		return;

	spin_lock_irqsave(&iommu->stream_lock, flags);
	dev = iommu->streams[sid].dev;
	domain = iommu->streams[sid].domain;
	spin_unlock_irqrestore(&iommu->stream_lock, flags);
	if (dev && domain)
		report_iommu_fault(domain, dev, iova,
				   write ? IOMMU_FAULT_WRITE :
				   IOMMU_FAULT_READ);
}

static irqreturn_t edu_iommu_irq(int irq, void *dev_id)
{
	struct edu_iommu *iommu = dev_id;
	u32 status;

	status = edu_read(iommu, EDU_INT_STATUS_REG);
	if (!(status & EDU_INT_ALL))
		return IRQ_NONE;
	/* First: what comes from here on interrupts again. */
	edu_write(iommu, EDU_INT_STATUS_REG, status);

	if (status & EDU_INT_COMMAND)
		dev_err(iommu->dev, "a command was refused\n");
	if (status & EDU_INT_OVERFLOW)
		dev_err_ratelimited(iommu->dev, "events were lost\n");

	while (edu_read(iommu, EDU_EVTQ_PROD_REG) != iommu->evtq_cons) {
		edu_iommu_report(iommu,
				 (iommu->evtq_cons & EDU_QUEUE_INDEX) *
				 EDU_RECORD_WORDS);
		iommu->evtq_cons = (iommu->evtq_cons + 1) & EDU_QUEUE_POSITION;
		edu_write(iommu, EDU_EVTQ_CONS_REG, iommu->evtq_cons);
	}
	return IRQ_HANDLED;
}

/*
 * @count words that CPU and hardware share; null: no memory. @base: the
 * register that says where.
 */
static u32 *edu_iommu_alloc_shared(struct edu_iommu *iommu, size_t size,
				   u32 base)
{
	dma_addr_t dma;
	void *view;

	view = dmam_alloc_coherent(iommu->dev, size, &dma, GFP_KERNEL);
	if (!view)
		return NULL;

	edu_write(iommu, base, edu_frame(dma));
	return view;
}

/* Stream table and queues, all empty: what has no entry is refused. */
static int edu_iommu_init_memory(struct edu_iommu *iommu)
{
	unsigned int stab_size = iommu->nr_streams * EDU_STREAM_WORDS * 4;
	u32 *stab;
	u32 *cmdq;
	u32 *evtq;

	stab = edu_iommu_alloc_shared(iommu, stab_size, EDU_STAB_BASE_REG);
	if (!stab)
		return -ENOMEM;
	iommu->stab = stab;

	cmdq = edu_iommu_alloc_shared(iommu, EDU_QUEUE_BYTES,
				      EDU_CMDQ_BASE_REG);
	if (!cmdq)
		return -ENOMEM;
	iommu->cmdq = cmdq;
	edu_write(iommu, EDU_CMDQ_SIZE_REG, EDU_QUEUE_LG2);

	evtq = edu_iommu_alloc_shared(iommu, EDU_QUEUE_BYTES,
				      EDU_EVTQ_BASE_REG);
	if (!evtq)
		return -ENOMEM;
	iommu->evtq = evtq;
	edu_write(iommu, EDU_EVTQ_SIZE_REG, EDU_QUEUE_LG2);
	return 0;
}

static int edu_iommu_set_enable(struct edu_iommu *iommu, u32 enable)
{
	u32 val = 0;

	edu_write(iommu, EDU_CTRL_REG, enable);
	return readl_poll_timeout_atomic(iommu->base + EDU_STATUS_REG, val,
					 val == enable, 1, EDU_CMD_TIMEOUT_US);
}

static int edu_iommu_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct edu_iommu *iommu;
	void __iomem *base;
	int irq, ret;
	u32 id;
	struct edu_iommu_stream *streams;

	iommu = devm_kzalloc(dev, sizeof(*iommu), GFP_KERNEL);
	if (!iommu)
		return -ENOMEM;
	iommu->dev = dev;
	spin_lock_init(&iommu->stream_lock);
	spin_lock_init(&iommu->cmdq_lock);
	ida_init(&iommu->domain_ids);
	platform_set_drvdata(pdev, iommu);

	base = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(base))
		return PTR_ERR(base);
	iommu->base = base;

	irq = platform_get_irq(pdev, 0);
	if (irq < 0)
		return irq;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(40));
	if (ret)
		return ret;

	id = edu_read(iommu, EDU_ID_REG);
	iommu->nr_streams = 1 << FIELD_GET(EDU_ID_STREAMS_LG2, id);
	iommu->max_domain = (1 << FIELD_GET(EDU_ID_DOMAINS_LG2, id)) - 1;

	streams = devm_kcalloc(dev, iommu->nr_streams, sizeof(*streams),
			       GFP_KERNEL);
	if (!streams)
		return -ENOMEM;
	iommu->streams = streams;

	ret = edu_iommu_init_memory(iommu);
	if (ret)
		return ret;

	ret = devm_request_irq(dev, irq, edu_iommu_irq, 0, dev_name(dev),
			       iommu);
	if (ret)
		return ret;
	edu_write(iommu, EDU_INT_ENABLE_REG, EDU_INT_ALL);

	ret = edu_iommu_set_enable(iommu, EDU_CTRL_ENABLE);
	if (ret) {
		dev_err(dev, "cannot be enabled\n");
		return ret;
	}

	ret = iommu_device_sysfs_add(&iommu->iommu, dev, NULL, dev_name(dev));
	if (ret)
		goto err_disable;

	ret = iommu_device_register(&iommu->iommu, &edu_iommu_ops, dev);
	if (!ret)
		return 0;

	iommu_device_sysfs_remove(&iommu->iommu);

err_disable:
	edu_iommu_set_enable(iommu, 0);
	return ret;
}

static void edu_iommu_remove(struct platform_device *pdev)
{
	struct edu_iommu *iommu = platform_get_drvdata(pdev);

	iommu_device_unregister(&iommu->iommu);
	iommu_device_sysfs_remove(&iommu->iommu);
	edu_iommu_set_enable(iommu, 0);
}

static const struct of_device_id edu_iommu_dt[] = {
	{ .compatible = "linux-iommu-ts,edu-iommu" },
	{ /* sentinel */ }
};
MODULE_DEVICE_TABLE(of, edu_iommu_dt);

static struct platform_driver edu_iommu_driver = {
	.driver = {
		.name = "edu-iommu",
		.of_match_table = edu_iommu_dt,
		.suppress_bind_attrs = true,
	},
	.probe = edu_iommu_probe,
	.remove = edu_iommu_remove,
};
builtin_platform_driver(edu_iommu_driver);

MODULE_DESCRIPTION("The teaching IOMMU: several domains, two page sizes, a command and an event queue");
MODULE_LICENSE("GPL");
