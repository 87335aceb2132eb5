// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOMMU of the Allwinner H6 and H616.
 *
 * Where this driver knowingly differs from its twin the comment says DEVIATION;
 * Documentation/deviations.md tells why.
 */

#include <linux/atomic.h>
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/clk.h>
#include <linux/container_of.h>
#include <linux/dev_printk.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/iopoll.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/refcount.h>
#include <linux/reset.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "iommu-pages.h"

/* A bit a master: 0 holds it in reset. */
#define IOMMU_RESET_REG		0x010
#define IOMMU_RESET_RELEASE_ALL	0xffffffff

#define IOMMU_ENABLE_REG	0x020
#define IOMMU_ENABLE_ENABLE	BIT(0)

/* A bit a master: 1 lets its accesses pass untranslated. */
#define IOMMU_BYPASS_REG	0x030

#define IOMMU_AUTO_GATING_REG		0x040
#define IOMMU_AUTO_GATING_ENABLE	BIT(0)

/* Physical address of the directory, 16 KiB aligned. */
#define IOMMU_TTB_REG	0x050

#define IOMMU_TLB_PREFETCH_REG			0x070
#define IOMMU_TLB_PREFETCH_MASTER_ENABLE(m)	BIT(m)

/* Bits written clear themselves when that cache is empty. */
#define IOMMU_TLB_FLUSH_REG		0x080
#define IOMMU_TLB_FLUSH_PTW_CACHE	BIT(17)
#define IOMMU_TLB_FLUSH_MACRO_TLB	BIT(16)
#define IOMMU_TLB_FLUSH_MICRO_TLB(i)	(BIT(i) & GENMASK(5, 0))

/*
 * Invalidate the TLB entries whose address equals ADDR in the bits of MASK;
 * ENABLE clears itself.
 */
#define IOMMU_TLB_IVLD_ADDR_REG		0x090
#define IOMMU_TLB_IVLD_ADDR_MASK_REG	0x094
#define IOMMU_TLB_IVLD_ENABLE_REG	0x098
#define IOMMU_TLB_IVLD_ENABLE_ENABLE	BIT(0)

/* The same for the cached directory entry of the MiB around ADDR. */
#define IOMMU_PC_IVLD_ADDR_REG		0x0a0
#define IOMMU_PC_IVLD_ENABLE_REG	0x0a8
#define IOMMU_PC_IVLD_ENABLE_ENABLE	BIT(0)

/*
 * What each master may not do in permission domain d: two domains a word, two
 * bits a master.
 */
#define IOMMU_DM_AUT_CTRL_REG(d)		(0x0b0 + ((d) >> 1) * 4)
#define IOMMU_DM_AUT_CTRL_RD_UNAVAIL(d, m)	BIT(((d) & 1) * 16 + (m) * 2)
#define IOMMU_DM_AUT_CTRL_WR_UNAVAIL(d, m) \
	BIT(((d) & 1) * 16 + (m) * 2 + 1)

#define IOMMU_INT_ENABLE_REG	0x100
#define IOMMU_INT_CLR_REG	0x104
#define IOMMU_INT_STA_REG	0x108
#define IOMMU_INT_INVALID_L2PG	BIT(17)
#define IOMMU_INT_INVALID_L1PG	BIT(16)
/*
 * A bit a master: permission fault; in the L1PG and L2PG words: whose access it
 * was.
 */
#define IOMMU_INT_MASTER_MASK	GENMASK(5, 0)
#define IOMMU_INT_MASK \
	(IOMMU_INT_INVALID_L1PG | IOMMU_INT_INVALID_L2PG | \
	 IOMMU_INT_MASTER_MASK)

/*
 * Permission fault of master i: the address, and the page-table word that
 * forbade it.
 */
#define IOMMU_INT_ERR_ADDR_REG(i)	(0x110 + (i) * 4)
#define IOMMU_INT_ERR_DATA_REG(i)	(0x150 + (i) * 4)
/*
 * No valid word in the directory (L1) or in the page table (L2): the address,
 * and the masters to blame.
 */
#define IOMMU_INT_ERR_ADDR_L1_REG	0x130
#define IOMMU_INT_ERR_ADDR_L2_REG	0x134
#define IOMMU_L1PG_INT_REG		0x0180
#define IOMMU_L2PG_INT_REG		0x0184

#define NUM_MASTERS	6

#define PT_ENTRY_SIZE	4

#define NUM_DT_ENTRIES	4096
#define DT_SIZE		(NUM_DT_ENTRIES * PT_ENTRY_SIZE)

#define NUM_PT_ENTRIES	256
#define PT_SIZE		(NUM_PT_ENTRIES * PT_ENTRY_SIZE)

#define SPAGE_SIZE	4096

/* One IOMMU block. */
struct sun50i_iommu {
	struct iommu_device iommu;
	/* For the registers; the interrupt handler takes it, too. */
	spinlock_t iommu_lock;
	struct device *dev;
	void __iomem *base;
	struct reset_control *reset;
	struct clk *clk;
	/*
	 * What the hardware does now: a domain's tables, or (identity) nothing.
	 * It becomes identity under @iommu_lock: who holds that and sees
	 * another domain may access registers.
	 */
	struct iommu_domain *domain;
	struct kmem_cache *pt_pool;
	/*
	 * DEVIATION: whether the clock is on because of us. Its twin enables it
	 * once more with every attach. It becomes false under @iommu_lock:
	 * until then the interrupt handler answers for what came before
	 * translation was turned off.
	 */
	bool powered;
};

/* One address space. */
struct sun50i_iommu_domain {
	struct iommu_domain domain;
	/* Starts at 1; each device that is attached adds one. */
	refcount_t refcnt;
	/* The directory, as the CPU and as the walker know it. */
	u32 *dt;
	/*
	 * DEVIATION: DMA_MAPPING_ERROR while it is attached nowhere; its twin
	 * leaves there what was.
	 */
	dma_addr_t dt_dma;
	/*
	 * DEVIATION: the directory words that the walker can see. Its twin
	 * trusts in a word that is stored.
	 */
	unsigned long *dt_clean;
	/*
	 * Where it is, or was, attached; null: the hardware has never seen it.
	 */
	struct sun50i_iommu *iommu;
	/*
	 * DEVIATION: whose memory the tables come from. Its twin asks @iommu,
	 * and so cannot map before the first attach.
	 */
	struct sun50i_iommu *home;
};

/* @domain as what it is; the caller knows that it is one of this driver. */
static struct sun50i_iommu_domain *to_sun50i_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct sun50i_iommu_domain, domain);
}

static struct sun50i_iommu *sun50i_iommu_from_dev(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

static u32 iommu_read(struct sun50i_iommu *iommu, u32 offset)
{
	return readl(iommu->base + offset);
}

static void iommu_write(struct sun50i_iommu *iommu, u32 offset, u32 value)
{
	writel(value, iommu->base + offset);
}

/*
 * Two levels translate an address. A directory (DT) has a word for each MiB of
 * the address space; a page table (PT) has a word for each 4 KiB page of one
 * MiB.
 *
 *  31           20 19        12 11           0
 * +---------------+------------+--------------+
 * | index in DT   | index in PT| offset       |
 * +---------------+------------+--------------+
 */
#define SUN50I_IOVA_DTE_MASK	GENMASK(31, 20)
#define SUN50I_IOVA_PTE_MASK	GENMASK(19, 12)
#define SUN50I_IOVA_PAGE_MASK	GENMASK(11, 0)

/* Which directory word translates @iova. */
static u32 sun50i_iova_get_dte_index(dma_addr_t iova)
{
	return FIELD_GET(SUN50I_IOVA_DTE_MASK, iova);
}

/* Which word of its page table translates @iova. */
static u32 sun50i_iova_get_pte_index(dma_addr_t iova)
{
	return FIELD_GET(SUN50I_IOVA_PTE_MASK, iova);
}

static u32 sun50i_iova_get_page_offset(dma_addr_t iova)
{
	return FIELD_GET(SUN50I_IOVA_PAGE_MASK, iova);
}

/*
 * A directory word (DTE):
 *
 *  31                      10 9        2 1   0
 * +--------------------------+----------+-----+
 * | address of the PT, 1 KiB | reserved |  V  |   V: 01 is valid
 * +--------------------------+----------+-----+
 */
#define SUN50I_DTE_PT_ADDRESS_MASK	GENMASK(31, 10)
#define SUN50I_DTE_PT_ATTRS		GENMASK(1, 0)
#define SUN50I_DTE_PT_VALID		1

/* Physical address of the page table that a valid @dte points to. */
static phys_addr_t sun50i_dte_get_pt_address(u32 dte)
{
	return dte & SUN50I_DTE_PT_ADDRESS_MASK;
}

/* Whether @dte points to a page table. */
static bool sun50i_dte_is_pt_valid(u32 dte)
{
	return (dte & SUN50I_DTE_PT_ATTRS) == SUN50I_DTE_PT_VALID;
}

static u32 sun50i_mk_dte(dma_addr_t pt_dma)
{
	return (pt_dma & SUN50I_DTE_PT_ADDRESS_MASK) | SUN50I_DTE_PT_VALID;
}

/*
 * A page-table word (PTE):
 *
 *  31               12 11    8 7    4 3   2 1 0
 * +-------------------+-------+------+-----+-+-+
 * | address of the page| rsvd | ACI  | rsvd|V|r|   V: 1 is valid
 * +-------------------+-------+------+-----+-+-+
 *
 * Rights are not in the word. ACI names one of 16 permission domains, and the
 * registers say what each master may not do in it. Four of them, set up alike
 * for every master, give the four combinations of reading and writing; domain 0
 * is left alone, as it comes up with rights of its own.
 */
enum sun50i_iommu_aci {
	SUN50I_IOMMU_ACI_NONE = 1,
	SUN50I_IOMMU_ACI_RD = 2,
	SUN50I_IOMMU_ACI_WR = 3,
	SUN50I_IOMMU_ACI_RD_WR = 4,
};

#define SUN50I_PTE_PAGE_ADDRESS_MASK	GENMASK(31, 12)
#define SUN50I_PTE_ACI_MASK		GENMASK(7, 4)
#define SUN50I_PTE_PAGE_VALID		BIT(1)

static phys_addr_t sun50i_pte_get_page_address(u32 pte)
{
	return pte & SUN50I_PTE_PAGE_ADDRESS_MASK;
}

static enum sun50i_iommu_aci sun50i_get_pte_aci(u32 pte)
{
	return FIELD_GET(SUN50I_PTE_ACI_MASK, pte);
}

/* Whether @pte maps a page. */
static bool sun50i_pte_is_page_valid(u32 pte)
{
	return pte & SUN50I_PTE_PAGE_VALID;
}

static u32 sun50i_mk_pte(phys_addr_t page, int prot)
{
	enum sun50i_iommu_aci aci = SUN50I_IOMMU_ACI_NONE;
	u32 flags;

	switch (prot & (IOMMU_READ | IOMMU_WRITE)) {
	case IOMMU_READ | IOMMU_WRITE:
		aci = SUN50I_IOMMU_ACI_RD_WR;
		break;
	case IOMMU_READ:
		aci = SUN50I_IOMMU_ACI_RD;
		break;
	case IOMMU_WRITE:
		aci = SUN50I_IOMMU_ACI_WR;
		break;
	}
	flags = FIELD_PREP(SUN50I_PTE_ACI_MASK, aci) | SUN50I_PTE_PAGE_VALID;
	return (page & SUN50I_PTE_PAGE_ADDRESS_MASK) | flags;
}

/*
 * Clean @count words of @table from the @first on out of the cache: the walker
 * does not snoop.
 */
static void sun50i_table_flush(struct sun50i_iommu_domain *sun50i_domain,
			       u32 *table, unsigned int first,
			       unsigned int count)
{
	/*
	 * Tables are mapped one to one, so the bus address is the physical one.
	 */
	dma_addr_t dma = virt_to_phys(table) + first * PT_ENTRY_SIZE;

	dma_sync_single_for_device(sun50i_domain->home->dev, dma,
				   count * PT_ENTRY_SIZE, DMA_TO_DEVICE);
}

/*
 * Clean a directory's word @index. DEVIATION: attached nowhere, the directory
 * is not mapped, and the next attach cleans all of it; where it is attached may
 * be another instance than the tables' own.
 */
static void sun50i_directory_flush(struct sun50i_iommu_domain *sun50i_domain,
				   u32 index)
{
	struct sun50i_iommu *iommu = sun50i_domain->iommu;
	dma_addr_t dt_dma = sun50i_domain->dt_dma;
	dma_addr_t at;

	if (!iommu || dt_dma == DMA_MAPPING_ERROR)
		return;
	at = dt_dma + index * PT_ENTRY_SIZE;
	dma_sync_single_for_device(iommu->dev, at, PT_ENTRY_SIZE,
				   DMA_TO_DEVICE);
}

/* Wait until the hardware has cleared @reg: 0, or -ETIMEDOUT after 2 ms. */
static int sun50i_iommu_wait_clear(struct sun50i_iommu *iommu, u32 reg)
{
	u32 val;

	return readl_poll_timeout_atomic(iommu->base + reg, val, !val, 1, 2000);
}

static void sun50i_iommu_zap_iova(struct sun50i_iommu *iommu,
				  unsigned long iova)
{
	iommu_write(iommu, IOMMU_TLB_IVLD_ADDR_REG, iova);
	iommu_write(iommu, IOMMU_TLB_IVLD_ADDR_MASK_REG, GENMASK(31, 12));
	iommu_write(iommu, IOMMU_TLB_IVLD_ENABLE_REG,
		    IOMMU_TLB_IVLD_ENABLE_ENABLE);

	if (sun50i_iommu_wait_clear(iommu, IOMMU_TLB_IVLD_ENABLE_REG))
		dev_warn(iommu->dev, "TLB invalidation timed out!\n");
}

static void sun50i_iommu_zap_ptw_cache(struct sun50i_iommu *iommu,
				       unsigned long iova)
{
	iommu_write(iommu, IOMMU_PC_IVLD_ADDR_REG, iova);
	iommu_write(iommu, IOMMU_PC_IVLD_ENABLE_REG,
		    IOMMU_PC_IVLD_ENABLE_ENABLE);

	if (sun50i_iommu_wait_clear(iommu, IOMMU_PC_IVLD_ENABLE_REG))
		dev_warn(iommu->dev, "PTW cache invalidation timed out!\n");
}

/*
 * @zap at both ends of a range, and one @step beyond each; an end within a step
 * of the start is left out.
 */
static void
sun50i_iommu_zap_ends(struct sun50i_iommu *iommu,
		      void (*zap)(struct sun50i_iommu *iommu, unsigned long iova),
		      unsigned long iova, size_t size, size_t step)
{
	unsigned long last = size > step ? iova + size : iova;
	unsigned long end;

	for (end = iova;; end = last) {
		zap(iommu, end);
		zap(iommu, end + step);
		if (end == last)
			return;
	}
}

/*
 * Forget what may be cached of a range that was just mapped: what a miss left,
 * and what a prefetch beyond an end of it brought. The addresses are those that
 * the vendor's driver takes.
 */
static void sun50i_iommu_zap_range(struct sun50i_iommu *iommu,
				   unsigned long iova, size_t size)
{
	assert_spin_locked(&iommu->iommu_lock);

	iommu_write(iommu, IOMMU_AUTO_GATING_REG, 0);
	sun50i_iommu_zap_ends(iommu, sun50i_iommu_zap_iova, iova, size,
			      SPAGE_SIZE);
	sun50i_iommu_zap_ends(iommu, sun50i_iommu_zap_ptw_cache, iova, size,
			      SZ_1M);
	iommu_write(iommu, IOMMU_AUTO_GATING_REG, IOMMU_AUTO_GATING_ENABLE);
}

static int sun50i_iommu_flush_all_tlb(struct sun50i_iommu *iommu)
{
	u32 caches = IOMMU_TLB_FLUSH_PTW_CACHE | IOMMU_TLB_FLUSH_MACRO_TLB;
	int m, ret;

	assert_spin_locked(&iommu->iommu_lock);

	for (m = 0; m < NUM_MASTERS; m++)
		caches |= IOMMU_TLB_FLUSH_MICRO_TLB(m);
	iommu_write(iommu, IOMMU_TLB_FLUSH_REG, caches);

	ret = sun50i_iommu_wait_clear(iommu, IOMMU_TLB_FLUSH_REG);
	if (ret)
		dev_warn(iommu->dev, "TLB Flush timed out!\n");
	return ret;
}

static struct iommu_domain sun50i_iommu_identity_domain;

/*
 * Whether translation is off, and the clock with it: then no register may be
 * accessed.
 */
static bool sun50i_iommu_is_off(struct sun50i_iommu *iommu)
{
	return iommu->domain == &sun50i_iommu_identity_domain;
}

/* Whether its clock is off, too: no fault is read from its registers. */
static bool sun50i_iommu_is_dark(struct sun50i_iommu *iommu)
{
	return sun50i_iommu_is_off(iommu) && !iommu->powered;
}

static void sun50i_iommu_flush_iotlb_all(struct iommu_domain *domain)
{
	struct sun50i_iommu *iommu = to_sun50i_domain(domain)->iommu;
	unsigned long flags;

	/* Nothing is cached of a domain that was never attached. */
	if (!iommu)
		return;

	spin_lock_irqsave(&iommu->iommu_lock, flags);
	if (!sun50i_iommu_is_off(iommu))
		sun50i_iommu_flush_all_tlb(iommu);
	spin_unlock_irqrestore(&iommu->iommu_lock, flags);
}

static int sun50i_iommu_iotlb_sync_map(struct iommu_domain *domain,
				       unsigned long iova, size_t size)
{
	struct sun50i_iommu *iommu = to_sun50i_domain(domain)->iommu;
	unsigned long flags;

	/* DEVIATION: as above. The attach to come flushes everything. */
	if (!iommu)
		return 0;

	spin_lock_irqsave(&iommu->iommu_lock, flags);
	if (!sun50i_iommu_is_off(iommu))
		sun50i_iommu_zap_range(iommu, iova, size);
	spin_unlock_irqrestore(&iommu->iommu_lock, flags);
	return 0;
}

static void sun50i_iommu_iotlb_sync(struct iommu_domain *domain,
				    struct iommu_iotlb_gather *gather)
{
	sun50i_iommu_flush_iotlb_all(domain);
}

/* What no master may do in permission domain @aci, as bits of its register. */
static u32 sun50i_iommu_aut_ctrl(enum sun50i_iommu_aci aci, bool no_read,
				 bool no_write)
{
	u32 ctrl = 0;
	int m;

	for (m = 0; m < NUM_MASTERS; m++) {
		if (no_read)
			ctrl |= IOMMU_DM_AUT_CTRL_RD_UNAVAIL(aci, m);
		if (no_write)
			ctrl |= IOMMU_DM_AUT_CTRL_WR_UNAVAIL(aci, m);
	}
	return ctrl;
}

static void sun50i_iommu_power_off(struct sun50i_iommu *iommu);

static int sun50i_iommu_enable(struct sun50i_iommu *iommu)
{
	struct sun50i_iommu_domain *sun50i_domain;
	u32 no_write, no_read, prefetch;
	int m, ret;
	unsigned long flags;

	if (sun50i_iommu_is_off(iommu))
		return 0;

	sun50i_domain = to_sun50i_domain(iommu->domain);
	no_write = sun50i_iommu_aut_ctrl(SUN50I_IOMMU_ACI_RD, false, true);
	no_read = sun50i_iommu_aut_ctrl(SUN50I_IOMMU_ACI_WR, true, false);
	prefetch = 0;
	for (m = 0; m < NUM_MASTERS; m++)
		prefetch |= IOMMU_TLB_PREFETCH_MASTER_ENABLE(m);

	ret = reset_control_deassert(iommu->reset);
	if (ret)
		return ret;

	if (!iommu->powered) {
		ret = clk_prepare_enable(iommu->clk);
		if (ret) {
			reset_control_assert(iommu->reset);
			return ret;
		}
		iommu->powered = true;
	}

	spin_lock_irqsave(&iommu->iommu_lock, flags);

	iommu_write(iommu, IOMMU_TTB_REG, sun50i_domain->dt_dma);
	iommu_write(iommu, IOMMU_TLB_PREFETCH_REG, prefetch);
	iommu_write(iommu, IOMMU_BYPASS_REG, 0);
	iommu_write(iommu, IOMMU_INT_ENABLE_REG, IOMMU_INT_MASK);
	iommu_write(iommu, IOMMU_DM_AUT_CTRL_REG(SUN50I_IOMMU_ACI_NONE),
		    sun50i_iommu_aut_ctrl(SUN50I_IOMMU_ACI_NONE, true, true));
	iommu_write(iommu, IOMMU_DM_AUT_CTRL_REG(SUN50I_IOMMU_ACI_RD),
		    no_write);
	/*
	 * DEVIATION: both domains have their bits in this one word. Its twin
	 * writes the second's alone, and with that lets everybody write to
	 * pages that are mapped to be read.
	 */
	iommu_write(iommu, IOMMU_DM_AUT_CTRL_REG(SUN50I_IOMMU_ACI_WR),
		    no_write | no_read);

	ret = sun50i_iommu_flush_all_tlb(iommu);
	if (!ret) {
		iommu_write(iommu, IOMMU_AUTO_GATING_REG,
			    IOMMU_AUTO_GATING_ENABLE);
		iommu_write(iommu, IOMMU_ENABLE_REG, IOMMU_ENABLE_ENABLE);
	}

	spin_unlock_irqrestore(&iommu->iommu_lock, flags);

	if (ret)
		sun50i_iommu_power_off(iommu);
	return ret;
}

static void sun50i_iommu_power_off(struct sun50i_iommu *iommu)
{
	unsigned long flags;

	spin_lock_irqsave(&iommu->iommu_lock, flags);
	iommu->powered = false;
	spin_unlock_irqrestore(&iommu->iommu_lock, flags);

	clk_disable_unprepare(iommu->clk);
	reset_control_assert(iommu->reset);
}

static void sun50i_iommu_disable(struct sun50i_iommu *iommu)
{
	unsigned long flags;

	spin_lock_irqsave(&iommu->iommu_lock, flags);
	iommu->domain = &sun50i_iommu_identity_domain;
	if (iommu->powered) {
		iommu_write(iommu, IOMMU_ENABLE_REG, 0);
		iommu_write(iommu, IOMMU_TTB_REG, 0);
	}
	spin_unlock_irqrestore(&iommu->iommu_lock, flags);

	/* When the enable had failed, it has cleaned up. */
	if (iommu->powered)
		sun50i_iommu_power_off(iommu);
}

static u32 *sun50i_iommu_alloc_page_table(struct sun50i_iommu *iommu, gfp_t gfp)
{
	void *page_table;
	dma_addr_t pt_dma;

	page_table = kmem_cache_zalloc(iommu->pt_pool, gfp);
	if (!page_table)
		return ERR_PTR(-ENOMEM);

	pt_dma = dma_map_single(iommu->dev, page_table, PT_SIZE, DMA_TO_DEVICE);
	if (!dma_mapping_error(iommu->dev, pt_dma)) {
		/*
		 * The CPU walks the tables, too: the address in a directory
		 * word must do for both.
		 */
		WARN_ON(pt_dma != virt_to_phys(page_table));
		return page_table;
	}

	dev_err(iommu->dev, "Couldn't map L2 Page Table\n");
	kmem_cache_free(iommu->pt_pool, page_table);
	return ERR_PTR(-ENOMEM);
}

static void sun50i_iommu_free_page_table(struct sun50i_iommu *iommu,
					 phys_addr_t pt_phys)
{
	dma_unmap_single(iommu->dev, pt_phys, PT_SIZE, DMA_TO_DEVICE);
	kmem_cache_free(iommu->pt_pool, phys_to_virt(pt_phys));
}

/* The page table that @dte, a valid word, points to. */
static u32 *sun50i_dte_to_page_table(u32 dte)
{
	return phys_to_virt(sun50i_dte_get_pt_address(dte));
}

/* Have the walker see @page_table, and find it through the directory. */
static void sun50i_publish_page_table(struct sun50i_iommu_domain *sun50i_domain,
				      u32 *page_table, u32 index)
{
	/*
	 * The table first: the walker must not find one through the directory
	 * that is not there yet.
	 */
	sun50i_table_flush(sun50i_domain, page_table, 0, NUM_PT_ENTRIES);
	sun50i_directory_flush(sun50i_domain, index);
	set_bit(index, sun50i_domain->dt_clean);
}

/*
 * The page table for @iova, made if need be. Who comes second, of two that make
 * it at once, takes the first's.
 */
static u32 *sun50i_dte_get_page_table(struct sun50i_iommu_domain *sun50i_domain,
				      dma_addr_t iova, gfp_t gfp)
{
	struct sun50i_iommu *iommu = sun50i_domain->home;
	u32 *dt = sun50i_domain->dt;
	u32 index = sun50i_iova_get_dte_index(iova);
	u32 dte = dt[index];
	u32 *page_table;
	phys_addr_t pt_phys;
	u32 old_dte;

	if (sun50i_dte_is_pt_valid(dte)) {
		u32 *known = sun50i_dte_to_page_table(dte);

		/*
		 * Another CPU may have stored the word and not have come to
		 * cleaning it.
		 */
		if (!test_bit(index, sun50i_domain->dt_clean))
			sun50i_publish_page_table(sun50i_domain, known, index);
		return known;
	}

	page_table = sun50i_iommu_alloc_page_table(iommu, gfp);
	if (IS_ERR(page_table))
		return page_table;

	pt_phys = virt_to_phys(page_table);
	old_dte = cmpxchg(&dt[index], 0, sun50i_mk_dte(pt_phys));
	if (old_dte) {
		page_table = sun50i_dte_to_page_table(old_dte);
		sun50i_iommu_free_page_table(iommu, pt_phys);
	}

	sun50i_publish_page_table(sun50i_domain, page_table, index);
	return page_table;
}

/* Map one page; the core comes back for the others. */
static int sun50i_iommu_map(struct iommu_domain *domain, unsigned long iova,
			    phys_addr_t paddr, size_t size, size_t count,
			    int prot, gfp_t gfp, size_t *mapped)
{
	struct sun50i_iommu_domain *sun50i_domain = to_sun50i_domain(domain);
	struct sun50i_iommu *iommu = sun50i_domain->home;
	u32 *page_table;
	u32 pte_index, pte;

	/*
	 * DEVIATION: allocated for a bus and not attached yet, there is nobody
	 * to make tables for.
	 */
	if (!iommu)
		return -ENODEV;

	/*
	 * A page-table word has 32 bits of address, and so has everything in
	 * front of it.
	 */
	if (upper_32_bits(paddr)) {
		dev_warn_once(iommu->dev,
			      "attempt to map address beyond 4GB\n");
		return -EINVAL;
	}

	page_table = sun50i_dte_get_page_table(sun50i_domain, iova, gfp);
	if (IS_ERR(page_table))
		return PTR_ERR(page_table);

	pte_index = sun50i_iova_get_pte_index(iova);
	pte = page_table[pte_index];
	if (sun50i_pte_is_page_valid(pte)) {
		phys_addr_t page_phys = sun50i_pte_get_page_address(pte);

		dev_err(iommu->dev,
			"iova %pad already mapped to %pa cannot remap to %pa prot: %#x\n",
			&iova, &page_phys, &paddr, prot);
		return -EBUSY;
	}

	page_table[pte_index] = sun50i_mk_pte(paddr, prot);
	sun50i_table_flush(sun50i_domain, page_table, pte_index, 1);
	*mapped = size;
	return 0;
}

/* Unmap one page: its size, or 0 when it was not mapped. The table stays. */
static size_t sun50i_iommu_unmap(struct iommu_domain *domain,
				 unsigned long iova, size_t size, size_t count,
				 struct iommu_iotlb_gather *gather)
{
	struct sun50i_iommu_domain *sun50i_domain = to_sun50i_domain(domain);
	u32 dte = sun50i_domain->dt[sun50i_iova_get_dte_index(iova)];
	u32 *page_table;
	u32 pte_index;

	if (!sun50i_dte_is_pt_valid(dte))
		return 0;

	page_table = sun50i_dte_to_page_table(dte);
	pte_index = sun50i_iova_get_pte_index(iova);
	if (!sun50i_pte_is_page_valid(page_table[pte_index]))
		return 0;

	page_table[pte_index] = 0;
	sun50i_table_flush(sun50i_domain, page_table, pte_index, 1);
	return SZ_4K;
}

static phys_addr_t sun50i_iommu_iova_to_phys(struct iommu_domain *domain,
					     dma_addr_t iova)
{
	u32 dte = to_sun50i_domain(domain)->dt[sun50i_iova_get_dte_index(iova)];
	u32 pte;

	if (!sun50i_dte_is_pt_valid(dte))
		return 0;

	pte = sun50i_dte_to_page_table(dte)[sun50i_iova_get_pte_index(iova)];
	if (!sun50i_pte_is_page_valid(pte))
		return 0;

	return sun50i_pte_get_page_address(pte) +
	       sun50i_iova_get_page_offset(iova);
}

static struct iommu_domain *sun50i_iommu_domain_alloc_paging(struct device *dev)
{
	struct sun50i_iommu_domain *sun50i_domain;
	void *dt;

	sun50i_domain = kzalloc(sizeof(*sun50i_domain), GFP_KERNEL);
	if (!sun50i_domain)
		return NULL;

	dt = iommu_alloc_pages(GFP_KERNEL | GFP_DMA32, get_order(DT_SIZE));
	if (!dt) {
		kfree(sun50i_domain);
		return NULL;
	}
	sun50i_domain->dt = dt;

	sun50i_domain->dt_clean = bitmap_zalloc(NUM_DT_ENTRIES, GFP_KERNEL);
	if (!sun50i_domain->dt_clean) {
		iommu_free_pages(dt, get_order(DT_SIZE));
		kfree(sun50i_domain);
		return NULL;
	}
	sun50i_domain->home = dev ? sun50i_iommu_from_dev(dev) : NULL;

	refcount_set(&sun50i_domain->refcnt, 1);
	sun50i_domain->dt_dma = DMA_MAPPING_ERROR;

	sun50i_domain->domain.geometry.aperture_start = 0;
	sun50i_domain->domain.geometry.aperture_end = DMA_BIT_MASK(32);
	sun50i_domain->domain.geometry.force_aperture = true;

	return &sun50i_domain->domain;
}

static void sun50i_iommu_detach_domain(struct sun50i_iommu *iommu,
				       struct sun50i_iommu_domain *sun50i_domain);

static void sun50i_iommu_domain_free(struct iommu_domain *domain)
{
	struct sun50i_iommu_domain *sun50i_domain = to_sun50i_domain(domain);
	u32 *dt = sun50i_domain->dt;
	int i;

	/*
	 * DEVIATION: with its last device gone the core frees a domain that the
	 * hardware is still walking.
	 */
	if (sun50i_domain->iommu && sun50i_domain->iommu->domain == domain)
		sun50i_iommu_detach_domain(sun50i_domain->iommu, sun50i_domain);

	/*
	 * DEVIATION: its twin frees page tables on a detach, which never
	 * happens; so they are lost.
	 */
	for (i = 0; i < NUM_DT_ENTRIES; i++) {
		u32 dte = dt[i];

		if (!sun50i_dte_is_pt_valid(dte))
			continue;
		dt[i] = 0;
		sun50i_iommu_free_page_table(sun50i_domain->home,
					     sun50i_dte_get_pt_address(dte));
	}

	bitmap_free(sun50i_domain->dt_clean);
	sun50i_domain->dt_clean = NULL;
	iommu_free_pages(dt, get_order(DT_SIZE));
	sun50i_domain->dt = NULL;

	kfree(sun50i_domain);
}

static void sun50i_iommu_leave_domain(struct sun50i_iommu *iommu,
				      struct sun50i_iommu_domain *sun50i_domain);
static void sun50i_iommu_set_domain(struct sun50i_iommu *iommu,
				    struct iommu_domain *domain);
static void sun50i_iommu_unmap_dt(struct sun50i_iommu *iommu,
				  struct sun50i_iommu_domain *sun50i_domain);

/*
 * Have the hardware walk @sun50i_domain's tables. DEVIATION: an attach that
 * fails leaves what was attached before; its twin has let go of that, and tells
 * nobody. As for its twin, a flush that times out is no failure: the log has
 * it.
 */
static int sun50i_iommu_attach_domain(struct sun50i_iommu *iommu,
				      struct sun50i_iommu_domain *sun50i_domain)
{
	struct iommu_domain *old_domain = iommu->domain;
	struct sun50i_iommu *old_iommu = sun50i_domain->iommu;
	struct sun50i_iommu *old_home = sun50i_domain->home;
	bool was_off;
	int ret;

	sun50i_domain->dt_dma = dma_map_single(iommu->dev, sun50i_domain->dt,
					       DT_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(iommu->dev, sun50i_domain->dt_dma)) {
		dev_err(iommu->dev, "Couldn't map L1 Page Table\n");
		return -ENOMEM;
	}

	was_off = sun50i_iommu_is_off(iommu);
	iommu->domain = &sun50i_domain->domain;
	sun50i_domain->iommu = iommu;
	if (!old_home)
		sun50i_domain->home = iommu;

	ret = sun50i_iommu_enable(iommu);
	if (!ret || ret == -ETIMEDOUT) {
		if (!was_off)
			sun50i_iommu_leave_domain(iommu,
						  to_sun50i_domain(old_domain));
		return 0;
	}

	sun50i_iommu_set_domain(iommu, old_domain);
	sun50i_domain->iommu = old_iommu;
	sun50i_domain->home = old_home;
	sun50i_iommu_unmap_dt(iommu, sun50i_domain);

	return ret;
}

/*
 * Who holds the lock and sees a domain may access registers: it changes under
 * that.
 */
static void sun50i_iommu_set_domain(struct sun50i_iommu *iommu,
				    struct iommu_domain *domain)
{
	unsigned long flags;

	spin_lock_irqsave(&iommu->iommu_lock, flags);
	iommu->domain = domain;
	spin_unlock_irqrestore(&iommu->iommu_lock, flags);
}

static void sun50i_iommu_unmap_dt(struct sun50i_iommu *iommu,
				  struct sun50i_iommu_domain *sun50i_domain)
{
	if (!dma_mapping_error(iommu->dev, sun50i_domain->dt_dma))
		dma_unmap_single(iommu->dev, sun50i_domain->dt_dma, DT_SIZE,
				 DMA_TO_DEVICE);
	sun50i_domain->dt_dma = DMA_MAPPING_ERROR;
}

/* The hardware has other tables now, or none. */
static void sun50i_iommu_leave_domain(struct sun50i_iommu *iommu,
				      struct sun50i_iommu_domain *sun50i_domain)
{
	sun50i_iommu_unmap_dt(iommu, sun50i_domain);
	refcount_dec(&sun50i_domain->refcnt);
}

/* Turn translation off; the domain keeps what is mapped in it. */
static void
sun50i_iommu_detach_domain(struct sun50i_iommu *iommu,
			   struct sun50i_iommu_domain *sun50i_domain)
{
	sun50i_iommu_disable(iommu);
	sun50i_iommu_unmap_dt(iommu, sun50i_domain);
	refcount_set(&sun50i_domain->refcnt, 1);
}

/*
 * DEVIATION: with the first device of the group translation is turned off, for
 * all; the others find that done. Its twin waits for a count of 0 that it never
 * reaches: the tables stay in use, and soon are freed memory.
 */
static int sun50i_iommu_identity_attach(struct iommu_domain *identity_domain,
					struct device *dev)
{
	struct sun50i_iommu *iommu = sun50i_iommu_from_dev(dev);

	dev_dbg(dev, "Detaching from IOMMU domain\n");

	if (iommu->domain != identity_domain)
		sun50i_iommu_detach_domain(iommu,
					   to_sun50i_domain(iommu->domain));
	return 0;
}

static const struct iommu_domain_ops sun50i_iommu_identity_ops = {
	.attach_dev = sun50i_iommu_identity_attach,
};

static struct iommu_domain sun50i_iommu_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &sun50i_iommu_identity_ops,
};

static int sun50i_iommu_attach_device(struct iommu_domain *domain,
				      struct device *dev)
{
	struct sun50i_iommu_domain *sun50i_domain = to_sun50i_domain(domain);
	struct sun50i_iommu *iommu = sun50i_iommu_from_dev(dev);
	struct sun50i_iommu *other;
	int ret;

	if (!iommu)
		return -ENODEV;

	dev_dbg(dev, "Attaching to IOMMU domain\n");

	/*
	 * DEVIATION: a domain knows one instance, whose caches it has flushed.
	 * Its twin forgets the first at the second.
	 */
	other = sun50i_domain->iommu;
	if (other && other != iommu && other->domain == domain)
		return -EINVAL;

	refcount_inc(&sun50i_domain->refcnt);

	/*
	 * There is one directory for all masters: what the first device brought
	 * is there for the others.
	 */
	if (iommu->domain == domain)
		return 0;

	ret = sun50i_iommu_attach_domain(iommu, sun50i_domain);
	if (ret)
		refcount_dec(&sun50i_domain->refcnt);
	return ret;
}

static struct iommu_device *sun50i_iommu_probe_device(struct device *dev)
{
	struct sun50i_iommu *iommu = sun50i_iommu_from_dev(dev);

	if (!iommu)
		return ERR_PTR(-ENODEV);

	return &iommu->iommu;
}

static int sun50i_iommu_of_xlate(struct device *dev,
				 const struct of_phandle_args *args)
{
	struct platform_device *iommu_pdev;

	iommu_pdev = of_find_device_by_node(args->np);

	dev_iommu_priv_set(dev, platform_get_drvdata(iommu_pdev));
	put_device(&iommu_pdev->dev);

	return iommu_fwspec_add_ids(dev, args->args, 1);
}

static const struct iommu_ops sun50i_iommu_ops = {
	.identity_domain = &sun50i_iommu_identity_domain,
	.pgsize_bitmap = SZ_4K,
	.device_group = generic_single_device_group,
	.domain_alloc_paging = sun50i_iommu_domain_alloc_paging,
	.of_xlate = sun50i_iommu_of_xlate,
	.probe_device = sun50i_iommu_probe_device,
	.default_domain_ops = &(const struct iommu_domain_ops) {
		.attach_dev = sun50i_iommu_attach_device,
		.flush_iotlb_all = sun50i_iommu_flush_iotlb_all,
		.iotlb_sync_map = sun50i_iommu_iotlb_sync_map,
		.iotlb_sync = sun50i_iommu_iotlb_sync,
		.iova_to_phys = sun50i_iommu_iova_to_phys,
		.map_pages = sun50i_iommu_map,
		.unmap_pages = sun50i_iommu_unmap,
		.free = sun50i_iommu_domain_free,
	},
	.owner = THIS_MODULE,
};

static void sun50i_iommu_report_fault(struct sun50i_iommu *iommu, int master,
				      phys_addr_t iova, unsigned int prot)
{
	struct iommu_domain *domain;

	dev_err(iommu->dev, "Page fault for %pad (master %d, dir %s)\n", &iova,
		master, prot == IOMMU_FAULT_WRITE ? "wr" : "rd");

	/*
	 * DEVIATION: not under the lock. A handler may map what is missing, and
	 * that takes it.
	 */
	domain = iommu->domain;
	spin_unlock(&iommu->iommu_lock);
	report_iommu_fault(domain, iommu->dev, iova, prot);
	spin_lock(&iommu->iommu_lock);

	/*
	 * A repaired mapping must not meet what the fault left in the caches.
	 */
	if (!sun50i_iommu_is_dark(iommu))
		sun50i_iommu_zap_range(iommu, iova, SPAGE_SIZE);
}

/*
 * No mapping: the hardware does not say whether it was a read or a write, so
 * call it a read. @seen: masters whose fault is reported already. Returns all
 * whose fault is, now.
 */
static u32 sun50i_iommu_handle_pt_irq(struct sun50i_iommu *iommu, u32 addr_reg,
				      u32 blame_reg, u32 seen)
{
	phys_addr_t iova;
	u32 blame;
	int master, m;
	bool lost;

	assert_spin_locked(&iommu->iommu_lock);
	if (sun50i_iommu_is_dark(iommu))
		return seen;

	iova = iommu_read(iommu, addr_reg);
	blame = iommu_read(iommu, blame_reg) & IOMMU_INT_MASTER_MASK;
	master = ilog2(blame & ~seen);

	/*
	 * DEVIATION: one address for all masters; the last fault's, so that the
	 * others' is lost. Say at least who they are, and forget all that the
	 * lost ones may have left in the caches.
	 */
	lost = false;
	for (m = 0; m < master; m++) {
		if (!(blame & ~seen & BIT(m)))
			continue;
		dev_err(iommu->dev,
			"Page fault for an unknown address (master %d)\n", m);
		lost = true;
	}
	if (lost)
		sun50i_iommu_flush_all_tlb(iommu);

	sun50i_iommu_report_fault(iommu, master, iova, IOMMU_FAULT_READ);
	return blame | seen;
}

/* A mapping without the right: what it does allow tells what was tried. */
static void sun50i_iommu_handle_perm_irq(struct sun50i_iommu *iommu,
					 unsigned int master)
{
	phys_addr_t iova;
	enum sun50i_iommu_aci aci;
	int dir;

	assert_spin_locked(&iommu->iommu_lock);
	if (sun50i_iommu_is_dark(iommu))
		return;

	iova = iommu_read(iommu, IOMMU_INT_ERR_ADDR_REG(master));
	aci = sun50i_get_pte_aci(iommu_read(iommu,
					    IOMMU_INT_ERR_DATA_REG(master)));

	/* Where neither is allowed it may have been both; a read, then. */
	dir = aci == SUN50I_IOMMU_ACI_RD ? IOMMU_FAULT_WRITE : IOMMU_FAULT_READ;

	sun50i_iommu_report_fault(iommu, master, iova, dir);
}

/*
 * The faults of one level that nobody has reported yet. @seen and what it
 * returns: as above.
 */
static u32 sun50i_iommu_handle_late_irq(struct sun50i_iommu *iommu,
					u32 addr_reg, u32 blame_reg, u32 seen)
{
	u32 blame;

	if (sun50i_iommu_is_dark(iommu))
		return seen;

	blame = iommu_read(iommu, blame_reg) & IOMMU_INT_MASTER_MASK;
	return blame & ~seen ?
	       sun50i_iommu_handle_pt_irq(iommu, addr_reg, blame_reg, seen) :
	       seen;
}

/*
 * Report the faults that @status tells of, clear them, and set the masters
 * going again.
 *
 * DEVIATION: its twin reports one of them, and clears and resets for all. Here
 * that one comes last.
 */
static void sun50i_iommu_handle_fault(struct sun50i_iommu *iommu, u32 status)
{
	bool has_l1 = (status & IOMMU_INT_INVALID_L1PG) != 0;
	bool has_l2 = (status & IOMMU_INT_INVALID_L2PG) != 0;
	u32 stuck = status;
	u32 l1 = 0;
	u32 l2 = 0;
	int m;

	stuck |= iommu_read(iommu, IOMMU_L1PG_INT_REG);
	stuck |= iommu_read(iommu, IOMMU_L2PG_INT_REG);

	for (m = 0; m < NUM_MASTERS; m++) {
		if (status & BIT(m))
			sun50i_iommu_handle_perm_irq(iommu, m);
	}
	if (has_l1)
		l1 = sun50i_iommu_handle_pt_irq(iommu,
						IOMMU_INT_ERR_ADDR_L1_REG,
						IOMMU_L1PG_INT_REG, 0);
	if (has_l2)
		l2 = sun50i_iommu_handle_pt_irq(iommu,
						IOMMU_INT_ERR_ADDR_L2_REG,
						IOMMU_L2PG_INT_REG, 0);

	/*
	 * DEVIATION: what another master did meanwhile is about to be cleared
	 * with the rest. (Bits that are new in the status are not; they raise
	 * the interrupt again.)
	 */
	if (has_l1)
		l1 = sun50i_iommu_handle_late_irq(iommu,
						  IOMMU_INT_ERR_ADDR_L1_REG,
						  IOMMU_L1PG_INT_REG, l1);
	if (has_l2)
		l2 = sun50i_iommu_handle_late_irq(iommu,
						  IOMMU_INT_ERR_ADDR_L2_REG,
						  IOMMU_L2PG_INT_REG, l2);

	/* Another CPU may have turned it off while a handler ran. */
	if (sun50i_iommu_is_dark(iommu))
		return;

	iommu_write(iommu, IOMMU_INT_CLR_REG, status);

	/* A pulse on their reset. */
	stuck = (stuck | l1 | l2) & IOMMU_INT_MASTER_MASK;
	iommu_write(iommu, IOMMU_RESET_REG, ~stuck);
	iommu_write(iommu, IOMMU_RESET_REG, IOMMU_RESET_RELEASE_ALL);
}

static irqreturn_t sun50i_iommu_irq(int irq, void *dev_id)
{
	struct sun50i_iommu *iommu = dev_id;
	irqreturn_t ret = IRQ_NONE;
	u32 status;

	spin_lock(&iommu->iommu_lock);
	/* It may have been turned off while the interrupt was on its way. */
	status = sun50i_iommu_is_dark(iommu) ? 0 :
		 iommu_read(iommu, IOMMU_INT_STA_REG);
	if (status & IOMMU_INT_MASK) {
		sun50i_iommu_handle_fault(iommu, status);
		ret = IRQ_HANDLED;
	}
	spin_unlock(&iommu->iommu_lock);
	return ret;
}

static int sun50i_iommu_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	int ret, irq;
	struct sun50i_iommu *iommu;
	struct kmem_cache *pt_pool;
	void __iomem *base;
	struct clk *clk;
	struct reset_control *reset;

	iommu = devm_kzalloc(dev, sizeof(*iommu), GFP_KERNEL);
	if (!iommu)
		return -ENOMEM;
	spin_lock_init(&iommu->iommu_lock);
	iommu->domain = &sun50i_iommu_identity_domain;
	platform_set_drvdata(pdev, iommu);
	iommu->dev = dev;

	pt_pool = kmem_cache_create(dev_name(dev), PT_SIZE, PT_SIZE,
				    SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA32,
				    NULL);
	if (!pt_pool)
		return -ENOMEM;
	iommu->pt_pool = pt_pool;

	base = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(base)) {
		ret = PTR_ERR(base);
		goto err_free_cache;
	}
	iommu->base = base;

	irq = platform_get_irq(pdev, 0);
	if (irq < 0) {
		ret = irq;
		goto err_free_cache;
	}

	clk = devm_clk_get(dev, NULL);
	if (IS_ERR(clk)) {
		dev_err(dev, "Couldn't get our clock.\n");
		ret = PTR_ERR(clk);
		goto err_free_cache;
	}
	iommu->clk = clk;

	reset = devm_reset_control_get(dev, NULL);
	if (IS_ERR(reset)) {
		dev_err(dev, "Couldn't get our reset line.\n");
		ret = PTR_ERR(reset);
		goto err_free_cache;
	}
	iommu->reset = reset;

	ret = iommu_device_sysfs_add(&iommu->iommu, dev, NULL, dev_name(dev));
	if (ret)
		goto err_free_cache;

	ret = iommu_device_register(&iommu->iommu, &sun50i_iommu_ops, dev);
	if (ret)
		goto err_remove_sysfs;

	ret = devm_request_irq(dev, irq, sun50i_iommu_irq, 0, dev_name(dev),
			       iommu);
	if (ret >= 0)
		return 0;

	iommu_device_unregister(&iommu->iommu);

err_remove_sysfs:
	iommu_device_sysfs_remove(&iommu->iommu);

err_free_cache:
	kmem_cache_destroy(iommu->pt_pool);

	return ret;
}

static const struct of_device_id sun50i_iommu_dt[] = {
	{ .compatible = "allwinner,sun50i-h6-iommu" },
	{ .compatible = "allwinner,sun50i-h616-iommu" },
	{ /* sentinel */ }
};
MODULE_DEVICE_TABLE(of, sun50i_iommu_dt);

static struct platform_driver sun50i_iommu_driver = {
	.driver = {
		.name = "sun50i-iommu",
		.of_match_table = sun50i_iommu_dt,
		.suppress_bind_attrs = true,
	},
};
builtin_platform_driver_probe(sun50i_iommu_driver, sun50i_iommu_probe);

MODULE_DESCRIPTION("The IOMMU of the Allwinner H6 and H616");
MODULE_LICENSE("GPL");
