// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOMMUs of Rockchip's chips, in both of their table formats.
 *
 * A chip has several, each before a master of its own. One IOMMU is one or more
 * MMUs, a register window each, which are told the same things. It is on while
 * its master is: the master's device link resumes it.
 *
 * Where this driver knowingly differs from its twin the comment says DEVIATION;
 * Documentation/deviations.md tells why. The table vocabulary is exported for
 * tests, which walk the tables themselves.
 */

#include <linux/array_size.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/clk.h>
#include <linux/container_of.h>
#include <linux/dev_printk.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/iopoll.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_device.h>
#include <linux/of_platform.h>
#include <linux/pfn.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/pm_runtime.h>
#include <linux/printk.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "iommu-pages.h"

/* The directory, as a directory word would have it. */
#define RK_MMU_DTE_ADDR		0x00
#define RK_MMU_STATUS		0x04
#define RK_MMU_COMMAND		0x08
#define RK_MMU_PAGE_FAULT_ADDR	0x0c
/* Writing an IOVA drops what is cached for it. */
#define RK_MMU_ZAP_ONE_LINE	0x10
#define RK_MMU_INT_CLEAR	0x18
#define RK_MMU_INT_MASK		0x1c
#define RK_MMU_INT_STATUS	0x20
#define RK_MMU_AUTO_GATING	0x24

#define DTE_ADDR_DUMMY	0xcafebabe

#define RK_MMU_POLL_PERIOD_US		100
#define RK_MMU_FORCE_RESET_TIMEOUT_US	100000
#define RK_MMU_POLL_TIMEOUT_US		1000

#define RK_MMU_STATUS_PAGING_ENABLED		BIT(0)
#define RK_MMU_STATUS_PAGE_FAULT_ACTIVE		BIT(1)
#define RK_MMU_STATUS_STALL_ACTIVE		BIT(2)
#define RK_MMU_STATUS_PAGE_FAULT_IS_WRITE	BIT(5)

#define RK_MMU_CMD_ENABLE_PAGING	0
#define RK_MMU_CMD_DISABLE_PAGING	1
#define RK_MMU_CMD_ENABLE_STALL		2
#define RK_MMU_CMD_DISABLE_STALL	3
#define RK_MMU_CMD_ZAP_CACHE		4
#define RK_MMU_CMD_PAGE_FAULT_DONE	5
#define RK_MMU_CMD_FORCE_RESET		6

#define RK_MMU_IRQ_PAGE_FAULT	0x01
#define RK_MMU_IRQ_BUS_ERROR	0x02
#define RK_MMU_IRQ_MASK		(RK_MMU_IRQ_PAGE_FAULT | RK_MMU_IRQ_BUS_ERROR)

#define NUM_DT_ENTRIES	1024
#define NUM_PT_ENTRIES	1024

#define SPAGE_ORDER	12
#define SPAGE_SIZE	(1 << SPAGE_ORDER)

#define PT_ENTRY_SIZE	4

#define DISABLE_FETCH_DTE_TIME_LIMIT	BIT(31)

/* Whatever fits in one page table: 4 KiB to 4 MiB. */
#define RK_IOMMU_PGSIZE_BITMAP	0x007ff000

static const char * const rk_iommu_clocks[] = {
	"aclk",
	"iface",
};

/* A table format. */
struct rk_iommu_ops {
	/* The address in a directory word, or in a page word. */
	phys_addr_t (*pt_address)(u32 dte);
	u32 (*mk_dtentries)(dma_addr_t pt_dma);
	u32 (*mk_ptentries)(phys_addr_t page, int prot);
	/*
	 * DEVIATION: the bits of a page word that are rights. Its twin takes
	 * the first format's in both.
	 */
	u32 page_flags_mask;
	/* What the walker, and a word, can address. */
	u64 dma_bit_mask;
	/* Where tables come from. */
	gfp_t gfp_flags;
};

/* One IOMMU: one or more MMUs that are told the same. */
struct rk_iommu {
	struct device *dev;
	void __iomem **bases;
	int num_mmu;
	int num_irq;
	struct clk_bulk_data *clocks;
	int num_clocks;
	bool reset_disabled;
	struct iommu_device iommu;
	/* In rk_iommu_domain.iommus. */
	struct list_head node;
	/* To what it is attached; in force only while it is in use. */
	struct iommu_domain *domain;
	/*
	 * DEVIATION: whether @domain is in force. Its twin takes that from
	 * runtime PM, which an enable that failed does not tell.
	 */
	bool enabled;
};

/* One address space, of any number of IOMMUs. */
struct rk_iommu_domain {
	struct iommu_domain domain;
	struct list_head iommus;
	/* The directory, as the CPU and as the walker know it. */
	u32 *dt;
	dma_addr_t dt_dma;
	/*
	 * DEVIATION: whose view of memory the tables are kept in step with. Its
	 * twin has one device for all domains.
	 */
	struct device *dma_dev;
	/* Guards @iommus. */
	spinlock_t iommus_lock;
	/* Guards the tables; taken before @iommus_lock. */
	spinlock_t dt_lock;
};

/* What this driver knows of a master. */
struct rk_iommudata {
	struct rk_iommu *iommu;
};

static struct {
	/* The first IOMMU: for what no IOMMU is known for. */
	struct device *dma_dev;
	/* The format of this machine. */
	const struct rk_iommu_ops *ops;
} rk;

/* The format; set by the first probe, and so before anything that asks. */
static const struct rk_iommu_ops *rk_ops(void)
{
	return rk.ops;
}

/* Clean @count words from @dma on out of the cache. */
static void rk_table_flush(struct rk_iommu_domain *dom, dma_addr_t dma,
			   unsigned int count)
{
	dma_sync_single_for_device(dom->dma_dev, dma, count * PT_ENTRY_SIZE,
				   DMA_TO_DEVICE);
}

/* @dom as what it is; the caller knows that it is one of this driver. */
static struct rk_iommu_domain *to_rk_domain(struct iommu_domain *dom)
{
	return container_of(dom, struct rk_iommu_domain, domain);
}

/*
 * Two levels translate an address. The directory (DT) has a word for each 4 MiB
 * of the address space, a page table (PT) one for each of the 1024 pages of 4
 * MiB. Each is one page.
 *
 * A directory word (DTE), in the first format:
 *
 *  31                  12 11               1  0
 * +----------------------+------------------+---+
 * | address of PT, 31:12 | reserved         | V |
 * +----------------------+------------------+---+
 *
 * and in the second:
 *
 *  31            12 11     8 7      4 3  1  0
 * +----------------+--------+--------+----+---+
 * | address, 31:12 | 35:32  | 39:36  |    | V |
 * +----------------+--------+--------+----+---+
 */
#define RK_DTE_PT_ADDRESS_MASK	0xfffff000
#define RK_DTE_PT_VALID		BIT(0)

static phys_addr_t rk_dte_pt_address(u32 dte)
{
	return dte & RK_DTE_PT_ADDRESS_MASK;
}

static phys_addr_t rk_dte_pt_address_v2(u32 dte)
{
	u32 high = ((dte >> 8) & 0xf) | (((dte >> 4) & 0xf) << 4);

	return rk_dte_pt_address(dte) + ((u64)high << 32);
}

/* Whether @dte points to a page table. */
static bool rk_dte_is_pt_valid(u32 dte)
{
	return dte & RK_DTE_PT_VALID;
}

static u32 rk_mk_dte(dma_addr_t pt_dma)
{
	return (lower_32_bits(pt_dma) & RK_DTE_PT_ADDRESS_MASK) |
	       RK_DTE_PT_VALID;
}

static u32 rk_mk_dte_v2(dma_addr_t pt_dma)
{
	u32 high = upper_32_bits(pt_dma);

	return rk_mk_dte(pt_dma) | ((high & 0xf) << 8) |
	       (((high >> 4) & 0xf) << 4);
}

/*
 * A page word (PTE), in both formats. The first has flags of the cache in 8:3,
 * if bit 3 says that they count; they are never set. In the second bit 3 is for
 * secure masters.
 *
 *  31             12 11  9 8     3  2   1   0
 * +-----------------+-----+-------+---+---+---+
 * | page, 31:12     |     | flags | W | R | V |
 * +-----------------+-----+-------+---+---+---+
 *
 *  31            12 11    8 7     4  3   2   1   0
 * +----------------+-------+-------+---+---+---+---+
 * | page, 31:12    | 35:32 | 39:36 | S | W | R | V |
 * +----------------+-------+-------+---+---+---+---+
 */
#define RK_PTE_PAGE_FLAGS_MASK		0x000001fe
#define RK_PTE_PAGE_FLAGS_MASK_V2	0x0000000e
#define RK_PTE_PAGE_WRITABLE		BIT(2)
#define RK_PTE_PAGE_READABLE		BIT(1)
#define RK_PTE_PAGE_VALID		BIT(0)

/* Whether @pte maps a page. */
static bool rk_pte_is_page_valid(u32 pte)
{
	return pte & RK_PTE_PAGE_VALID;
}

static u32 rk_pte_rights(int prot)
{
	u32 flags = 0;

	flags |= prot & IOMMU_READ ? RK_PTE_PAGE_READABLE : 0;
	flags |= prot & IOMMU_WRITE ? RK_PTE_PAGE_WRITABLE : 0;
	return flags;
}

/* The valid bit is where a directory word has it. */
static u32 rk_mk_pte(phys_addr_t page, int prot)
{
	return rk_mk_dte(page) | rk_pte_rights(prot);
}

static u32 rk_mk_pte_v2(phys_addr_t page, int prot)
{
	return rk_mk_dte_v2(page) | rk_pte_rights(prot);
}

/* Address and rights stay in the word. */
static u32 rk_mk_pte_invalid(u32 pte)
{
	return pte & ~RK_PTE_PAGE_VALID;
}

/*
 *  31         22 21         12 11           0
 * +-------------+-------------+--------------+
 * | index in DT | index in PT | offset       |
 * +-------------+-------------+--------------+
 */
#define RK_IOVA_DTE_SHIFT	22
#define RK_IOVA_PTE_SHIFT	12
#define RK_IOVA_PTE_MASK	0x003ff000
#define RK_IOVA_PAGE_MASK	0x00000fff

/* Which directory word translates @iova. */
static u32 rk_iova_dte_index(dma_addr_t iova)
{
	return lower_32_bits(iova) >> RK_IOVA_DTE_SHIFT;
}

/* Which word of its page table translates @iova. */
static u32 rk_iova_pte_index(dma_addr_t iova)
{
	return (lower_32_bits(iova) & RK_IOVA_PTE_MASK) >> RK_IOVA_PTE_SHIFT;
}

static u32 rk_iova_page_offset(dma_addr_t iova)
{
	return lower_32_bits(iova) & RK_IOVA_PAGE_MASK;
}

static u32 rk_iommu_read(void __iomem *base, u32 offset)
{
	return readl(base + offset);
}

static void rk_iommu_write(void __iomem *base, u32 offset, u32 value)
{
	writel(value, base + offset);
}

static void rk_iommu_base_command(void __iomem *base, u32 command)
{
	writel(command, base + RK_MMU_COMMAND);
}

static void rk_iommu_command(struct rk_iommu *iommu, u32 command)
{
	int i;

	for (i = 0; i < iommu->num_mmu; i++)
		rk_iommu_base_command(iommu->bases[i], command);
}

static void rk_iommu_zap_lines(struct rk_iommu *iommu, dma_addr_t iova_start,
			       size_t size)
{
	dma_addr_t iova_end = iova_start + size;
	int i;

	for (i = 0; i < iommu->num_mmu; i++) {
		dma_addr_t iova;

		for (iova = iova_start; iova < iova_end; iova += SPAGE_SIZE)
			rk_iommu_write(iommu->bases[i], RK_MMU_ZAP_ONE_LINE,
				       iova);
	}
}

/* Whether @bit is set in every MMU's status; all are read. */
static bool rk_iommu_all_status(struct rk_iommu *iommu, u32 bit)
{
	bool all = true;
	int i;

	for (i = 0; i < iommu->num_mmu; i++) {
		if (!(rk_iommu_read(iommu->bases[i], RK_MMU_STATUS) & bit))
			all = false;
	}
	return all;
}

static bool rk_iommu_is_stall_active(struct rk_iommu *iommu)
{
	return rk_iommu_all_status(iommu, RK_MMU_STATUS_STALL_ACTIVE);
}

static bool rk_iommu_is_paging_enabled(struct rk_iommu *iommu)
{
	return rk_iommu_all_status(iommu, RK_MMU_STATUS_PAGING_ENABLED);
}

static bool rk_iommu_is_reset_done(struct rk_iommu *iommu)
{
	bool done = true;
	int i;

	for (i = 0; i < iommu->num_mmu; i++) {
		if (rk_iommu_read(iommu->bases[i], RK_MMU_DTE_ADDR))
			done = false;
	}
	return done;
}

/*
 * Wait until @is answers @want, for a millisecond; then say of every MMU that
 * @what has timed out.
 */
static int rk_iommu_poll(struct rk_iommu *iommu,
			 bool (*is)(struct rk_iommu *iommu), bool want,
			 const char *what)
{
	bool val;
	int ret;

	ret = readx_poll_timeout(is, iommu, val, val == want,
				 RK_MMU_POLL_PERIOD_US, RK_MMU_POLL_TIMEOUT_US);
	if (ret) {
		int i;

		for (i = 0; i < iommu->num_mmu; i++)
			dev_err(iommu->dev,
				"%s request timed out, status: %#08x\n", what,
				rk_iommu_read(iommu->bases[i], RK_MMU_STATUS));
	}
	return ret;
}

static int rk_iommu_enable_stall(struct rk_iommu *iommu)
{
	int i;

	if (rk_iommu_is_stall_active(iommu))
		return 0;

	/* An MMU that does not translate has nothing to hold back. */
	if (!rk_iommu_is_paging_enabled(iommu))
		return 0;

	/* One that firmware left in a page fault would never stall. */
	for (i = 0; i < iommu->num_mmu; i++) {
		if (rk_iommu_read(iommu->bases[i], RK_MMU_STATUS) &
		    RK_MMU_STATUS_PAGE_FAULT_ACTIVE)
			rk_iommu_base_command(iommu->bases[i],
					      RK_MMU_CMD_PAGE_FAULT_DONE);
	}

	rk_iommu_command(iommu, RK_MMU_CMD_ENABLE_STALL);
	return rk_iommu_poll(iommu, rk_iommu_is_stall_active, true,
			     "Enable stall");
}

static int rk_iommu_disable_stall(struct rk_iommu *iommu)
{
	if (!rk_iommu_is_stall_active(iommu))
		return 0;

	rk_iommu_command(iommu, RK_MMU_CMD_DISABLE_STALL);
	return rk_iommu_poll(iommu, rk_iommu_is_stall_active, false,
			     "Disable stall");
}

static int rk_iommu_enable_paging(struct rk_iommu *iommu)
{
	if (rk_iommu_is_paging_enabled(iommu))
		return 0;

	rk_iommu_command(iommu, RK_MMU_CMD_ENABLE_PAGING);
	return rk_iommu_poll(iommu, rk_iommu_is_paging_enabled, true,
			     "Enable paging");
}

static int rk_iommu_disable_paging(struct rk_iommu *iommu)
{
	if (!rk_iommu_is_paging_enabled(iommu))
		return 0;

	rk_iommu_command(iommu, RK_MMU_CMD_DISABLE_PAGING);
	return rk_iommu_poll(iommu, rk_iommu_is_paging_enabled, false,
			     "Disable paging");
}

static int rk_iommu_force_reset(struct rk_iommu *iommu)
{
	u32 dte_addr;
	int i, ret;
	bool val;

	if (iommu->reset_disabled)
		return 0;

	/*
	 * The reset is over when this register is 0 again; so it must be able
	 * to hold something.
	 */
	dte_addr = lower_32_bits(rk_ops()->pt_address(DTE_ADDR_DUMMY));
	for (i = 0; i < iommu->num_mmu; i++) {
		rk_iommu_write(iommu->bases[i], RK_MMU_DTE_ADDR, dte_addr);
		if (rk_iommu_read(iommu->bases[i], RK_MMU_DTE_ADDR) !=
		    dte_addr) {
			dev_err(iommu->dev,
				"Error during raw reset. MMU_DTE_ADDR is not functioning\n");
			return -EFAULT;
		}
	}

	rk_iommu_command(iommu, RK_MMU_CMD_FORCE_RESET);

	/*
	 * DEVIATION: once a millisecond, for a tenth of a second. Its twin has
	 * the two exchanged: three reads in all.
	 */
	ret = readx_poll_timeout(rk_iommu_is_reset_done, iommu, val, val,
				 RK_MMU_POLL_TIMEOUT_US,
				 RK_MMU_FORCE_RESET_TIMEOUT_US);
	if (ret)
		dev_err(iommu->dev, "FORCE_RESET command timed out\n");
	return ret;
}

/*
 * The table word at @phys. DEVIATION: 0 where no memory is; its twin would
 * crash on a register that was never set.
 */
static u32 rk_table_word(phys_addr_t phys)
{
	return pfn_valid(PHYS_PFN(phys)) ? *(u32 *)phys_to_virt(phys) : 0;
}

/* Say what MMU @index's tables have for @iova. */
static void log_iova(struct rk_iommu *iommu, int index, dma_addr_t iova)
{
	const struct rk_iommu_ops *ops = rk_ops();
	u32 dte_index = rk_iova_dte_index(iova);
	u32 pte_index = rk_iova_pte_index(iova);
	u32 page_offset = rk_iova_page_offset(iova);
	phys_addr_t pte_addr_phys = 0;
	u32 pte = 0;
	phys_addr_t page_addr_phys = 0;
	u32 page_flags = 0;
	phys_addr_t mmu_dte_addr_phys, dte_addr_phys;
	u32 dte;

	mmu_dte_addr_phys = ops->pt_address(rk_iommu_read(iommu->bases[index],
							  RK_MMU_DTE_ADDR));
	dte_addr_phys = mmu_dte_addr_phys + PT_ENTRY_SIZE * dte_index;
	dte = rk_table_word(dte_addr_phys);

	if (rk_dte_is_pt_valid(dte)) {
		pte_addr_phys = ops->pt_address(dte) +
				pte_index * PT_ENTRY_SIZE;
		pte = rk_table_word(pte_addr_phys);

		if (rk_pte_is_page_valid(pte)) {
			page_addr_phys = ops->pt_address(pte) + page_offset;
			page_flags = pte & ops->page_flags_mask;
		}
	}

	dev_err(iommu->dev,
		"iova = %pad: dte_index: %#03x pte_index: %#03x page_offset: %#03x\n",
		&iova, dte_index, pte_index, page_offset);
	dev_err(iommu->dev,
		"mmu_dte_addr: %pa dte@%pa: %#08x valid: %u pte@%pa: %#08x valid: %u page@%pa flags: %#03x\n",
		&mmu_dte_addr_phys, &dte_addr_phys, dte,
		rk_dte_is_pt_valid(dte) ? 1 : 0, &pte_addr_phys, pte,
		rk_pte_is_page_valid(pte) ? 1 : 0, &page_addr_phys, page_flags);
}

static struct iommu_domain rk_identity_domain;

/*
 * MMU @index has stopped at an access to @iova: say why, and let a handler do
 * something about it.
 */
static void rk_iommu_page_fault(struct rk_iommu *iommu, int index,
				dma_addr_t iova)
{
	void __iomem *base = iommu->bases[index];
	u32 status;
	int flags;

	status = rk_iommu_read(base, RK_MMU_STATUS);
	flags = status & RK_MMU_STATUS_PAGE_FAULT_IS_WRITE ? IOMMU_FAULT_WRITE :
		IOMMU_FAULT_READ;

	dev_err(iommu->dev, "Page fault at %pad of type %s\n", &iova,
		flags == IOMMU_FAULT_WRITE ? "write" : "read");
	log_iova(iommu, index, iova);

	/* Whatever the handler answers: the MMU goes on. */
	if (iommu->domain != &rk_identity_domain)
		report_iommu_fault(iommu->domain, iommu->dev, iova, flags);
	else
		dev_err(iommu->dev,
			"Page fault while iommu not attached to domain?\n");

	rk_iommu_base_command(base, RK_MMU_CMD_ZAP_CACHE);
}

static irqreturn_t rk_iommu_irq(int irq, void *dev_id)
{
	struct rk_iommu *iommu = dev_id;
	irqreturn_t ret = IRQ_NONE;
	int err, i;

	/* The line is shared, and one without power may not be asked. */
	err = pm_runtime_get_if_active(iommu->dev);
	if (!err || WARN_ON_ONCE(err < 0))
		return ret;

	if (WARN_ON(clk_bulk_enable(iommu->num_clocks, iommu->clocks)))
		goto out;

	for (i = 0; i < iommu->num_mmu; i++) {
		void __iomem *base = iommu->bases[i];
		u32 int_status;
		dma_addr_t iova;

		int_status = rk_iommu_read(base, RK_MMU_INT_STATUS);
		if (!int_status)
			continue;

		ret = IRQ_HANDLED;
		iova = rk_iommu_read(base, RK_MMU_PAGE_FAULT_ADDR);

		if (int_status & RK_MMU_IRQ_PAGE_FAULT)
			rk_iommu_page_fault(iommu, i, iova);

		if (int_status & RK_MMU_IRQ_BUS_ERROR)
			dev_err(iommu->dev, "BUS_ERROR occurred at %pad\n",
				&iova);

		if (int_status & ~RK_MMU_IRQ_MASK)
			dev_err(iommu->dev, "unexpected int_status: %#08x\n",
				int_status);

		/*
		 * DEVIATION: cleared before the MMU goes on. Its twin does it
		 * after, and so clears the next fault, too.
		 */
		rk_iommu_write(base, RK_MMU_INT_CLEAR, int_status);
		if (int_status & RK_MMU_IRQ_PAGE_FAULT)
			rk_iommu_base_command(base, RK_MMU_CMD_PAGE_FAULT_DONE);
	}

	clk_bulk_disable(iommu->num_clocks, iommu->clocks);

out:
	pm_runtime_put(iommu->dev);
	return ret;
}

/* The page table that @dte, a valid word, points to. */
static u32 *rk_dte_to_page_table(u32 dte)
{
	return phys_to_virt(rk_ops()->pt_address(dte));
}

static phys_addr_t rk_iommu_iova_to_phys(struct iommu_domain *domain,
					 dma_addr_t iova)
{
	struct rk_iommu_domain *rk_domain = to_rk_domain(domain);
	phys_addr_t phys = 0;
	unsigned long flags;
	u32 dte;

	spin_lock_irqsave(&rk_domain->dt_lock, flags);
	dte = rk_domain->dt[rk_iova_dte_index(iova)];
	if (rk_dte_is_pt_valid(dte)) {
		u32 pte;

		pte = rk_dte_to_page_table(dte)[rk_iova_pte_index(iova)];
		if (rk_pte_is_page_valid(pte))
			phys = rk_ops()->pt_address(pte) +
			       rk_iova_page_offset(iova);
	}
	spin_unlock_irqrestore(&rk_domain->dt_lock, flags);

	return phys;
}

/*
 * Drop what is cached of a range, in every IOMMU that translates by @rk_domain.
 */
static void rk_iommu_zap_iova(struct rk_iommu_domain *rk_domain,
			      dma_addr_t iova, size_t size)
{
	unsigned long flags;
	struct rk_iommu *iommu;

	spin_lock_irqsave(&rk_domain->iommus_lock, flags);

	list_for_each_entry(iommu, &rk_domain->iommus, node) {
		int ret;

		/*
		 * One without power has forgotten everything; one that is off
		 * is told to when it is enabled.
		 */
		ret = pm_runtime_get_if_active(iommu->dev);
		if (WARN_ON_ONCE(ret < 0) || !ret)
			continue;
		/*
		 * DEVIATION: without clocks there is nothing to access, and
		 * nothing to disable. Its twin warns, and does both.
		 */
		if (iommu->enabled &&
		    !WARN_ON(clk_bulk_enable(iommu->num_clocks,
					     iommu->clocks))) {
			rk_iommu_zap_lines(iommu, iova, size);
			clk_bulk_disable(iommu->num_clocks, iommu->clocks);
		}
		pm_runtime_put(iommu->dev);
	}

	spin_unlock_irqrestore(&rk_domain->iommus_lock, flags);
}

/*
 * Only the ends of a range can share a line, or a directory word, with what was
 * mapped before.
 */
static void rk_iommu_zap_iova_first_last(struct rk_iommu_domain *rk_domain,
					 dma_addr_t iova, size_t size)
{
	rk_iommu_zap_iova(rk_domain, iova, SPAGE_SIZE);
	if (size > SPAGE_SIZE)
		rk_iommu_zap_iova(rk_domain, iova + size - SPAGE_SIZE,
				  SPAGE_SIZE);
}

/* The page table for @iova, made if need be. */
static u32 *rk_dte_get_page_table(struct rk_iommu_domain *rk_domain,
				  dma_addr_t iova)
{
	u32 index = rk_iova_dte_index(iova);
	u32 dte;
	void *page_table;
	dma_addr_t pt_dma;

	assert_spin_locked(&rk_domain->dt_lock);

	dte = rk_domain->dt[index];
	if (rk_dte_is_pt_valid(dte))
		return rk_dte_to_page_table(dte);

	page_table = iommu_alloc_page(GFP_ATOMIC | rk_ops()->gfp_flags);
	if (!page_table)
		return ERR_PTR(-ENOMEM);

	/*
	 * The table first: the walker must not find one through the directory
	 * that is not there yet.
	 */
	pt_dma = dma_map_single(rk_domain->dma_dev, page_table, SPAGE_SIZE,
				DMA_TO_DEVICE);
	if (dma_mapping_error(rk_domain->dma_dev, pt_dma)) {
		dev_err(rk_domain->dma_dev,
			"DMA mapping error while allocating page table\n");
		iommu_free_page(page_table);
		return ERR_PTR(-ENOMEM);
	}

	rk_domain->dt[index] = rk_ops()->mk_dtentries(pt_dma);
	rk_table_flush(rk_domain, rk_domain->dt_dma + index * PT_ENTRY_SIZE, 1);
	return page_table;
}

/*
 * Make words invalid up to the first that is: how many bytes that unmaps.
 * @pte_dma is where the first is.
 */
static size_t rk_iommu_unmap_iova(struct rk_iommu_domain *rk_domain,
				  u32 *pte_addr, dma_addr_t pte_dma,
				  size_t size)
{
	size_t pte_total = size / SPAGE_SIZE;
	size_t pte_count;

	assert_spin_locked(&rk_domain->dt_lock);

	for (pte_count = 0; pte_count < pte_total; pte_count++) {
		u32 pte = pte_addr[pte_count];

		if (!rk_pte_is_page_valid(pte))
			break;
		pte_addr[pte_count] = rk_mk_pte_invalid(pte);
	}
	/*
	 * DEVIATION: not when there was none: dma-debug takes no bytes, where
	 * two tables meet, for memory of neither.
	 */
	if (pte_count > 0)
		rk_table_flush(rk_domain, pte_dma, pte_count);

	return pte_count * SPAGE_SIZE;
}

/* Write the words of a range; if one is taken, none. */
static int rk_iommu_map_iova(struct rk_iommu_domain *rk_domain, u32 *pte_addr,
			     dma_addr_t pte_dma, dma_addr_t iova,
			     phys_addr_t paddr, size_t size, int prot)
{
	size_t pte_total = size / SPAGE_SIZE;
	size_t pte_count;

	assert_spin_locked(&rk_domain->dt_lock);

	for (pte_count = 0; pte_count < pte_total; pte_count++) {
		size_t done = pte_count * SPAGE_SIZE;
		u32 pte = pte_addr[pte_count];

		if (rk_pte_is_page_valid(pte)) {
			dma_addr_t taken = iova + done;
			phys_addr_t page_phys, phys;

			page_phys = rk_ops()->pt_address(pte);
			phys = paddr + done;

			rk_iommu_unmap_iova(rk_domain, pte_addr, pte_dma, done);
			pr_err("iova: %pad already mapped to %pa cannot remap to phys: %pa prot: %#x\n",
			       &taken, &page_phys, &phys, prot);
			return -EADDRINUSE;
		}
		pte_addr[pte_count] = rk_ops()->mk_ptentries(paddr + done,
							     prot);
	}
	rk_table_flush(rk_domain, pte_dma, pte_total);

	rk_iommu_zap_iova_first_last(rk_domain, iova, size);
	return 0;
}

/*
 * Map one chunk: 4 KiB to 4 MiB, aligned to its size, and so within one page
 * table. The core comes back for others.
 */
static int rk_iommu_map(struct iommu_domain *domain, unsigned long _iova,
			phys_addr_t paddr, size_t size, size_t count, int prot,
			gfp_t gfp, size_t *mapped)
{
	struct rk_iommu_domain *rk_domain = to_rk_domain(domain);
	dma_addr_t iova = _iova;
	u64 mask = rk_ops()->dma_bit_mask;
	unsigned long flags;
	u32 *page_table;
	u32 dte, pte_index;
	dma_addr_t pte_dma;
	int ret;

	/*
	 * DEVIATION: no word can say where this is. Its twin drops the upper
	 * bits, and maps other memory.
	 */
	if (paddr + size - 1 > mask) {
		dev_warn_once(rk_domain->dma_dev,
			      "attempt to map address beyond %d bits\n",
			      fls64(mask));
		return -EINVAL;
	}

	spin_lock_irqsave(&rk_domain->dt_lock, flags);

	page_table = rk_dte_get_page_table(rk_domain, iova);
	if (IS_ERR(page_table)) {
		spin_unlock_irqrestore(&rk_domain->dt_lock, flags);
		return PTR_ERR(page_table);
	}

	dte = rk_domain->dt[rk_iova_dte_index(iova)];
	pte_index = rk_iova_pte_index(iova);
	pte_dma = rk_ops()->pt_address(dte) + pte_index * PT_ENTRY_SIZE;
	ret = rk_iommu_map_iova(rk_domain, &page_table[pte_index], pte_dma,
				iova, paddr, size, prot);

	spin_unlock_irqrestore(&rk_domain->dt_lock, flags);
	if (!ret)
		*mapped = size;
	return ret;
}

/*
 * Unmap one chunk, up to the first page that is not mapped: how many bytes it
 * was. The table stays.
 */
static size_t rk_iommu_unmap(struct iommu_domain *domain, unsigned long _iova,
			     size_t size, size_t count,
			     struct iommu_iotlb_gather *gather)
{
	struct rk_iommu_domain *rk_domain = to_rk_domain(domain);
	dma_addr_t iova = _iova;
	unsigned long flags;
	u32 dte, pte_index;
	dma_addr_t pte_dma;
	size_t unmap_size;

	spin_lock_irqsave(&rk_domain->dt_lock, flags);

	dte = rk_domain->dt[rk_iova_dte_index(iova)];
	if (!rk_dte_is_pt_valid(dte)) {
		spin_unlock_irqrestore(&rk_domain->dt_lock, flags);
		return 0;
	}

	pte_index = rk_iova_pte_index(iova);
	pte_dma = rk_ops()->pt_address(dte) + pte_index * PT_ENTRY_SIZE;
	unmap_size = rk_iommu_unmap_iova(rk_domain,
					 &rk_dte_to_page_table(dte)[pte_index],
					 pte_dma, size);

	spin_unlock_irqrestore(&rk_domain->dt_lock, flags);

	rk_iommu_zap_iova(rk_domain, iova, unmap_size);

	return unmap_size;
}

static struct rk_iommu *rk_iommu_from_dev(struct device *dev)
{
	struct rk_iommudata *data = dev_iommu_priv_get(dev);

	return data ? data->iommu : NULL;
}

/*
 * Translation off: there is no other identity. In use only. Errors are of no
 * avail: go on.
 */
static void rk_iommu_disable(struct rk_iommu *iommu)
{
	int i;

	iommu->enabled = false;
	/* DEVIATION: as above. */
	if (WARN_ON(clk_bulk_enable(iommu->num_clocks, iommu->clocks)))
		return;
	rk_iommu_enable_stall(iommu);
	rk_iommu_disable_paging(iommu);
	for (i = 0; i < iommu->num_mmu; i++) {
		rk_iommu_write(iommu->bases[i], RK_MMU_INT_MASK, 0);
		rk_iommu_write(iommu->bases[i], RK_MMU_DTE_ADDR, 0);
	}
	rk_iommu_disable_stall(iommu);
	clk_bulk_disable(iommu->num_clocks, iommu->clocks);
}

/* Put its domain in force, from a reset on. In use only. */
static int rk_iommu_enable(struct rk_iommu *iommu)
{
	u32 dte_addr;
	int ret, i;

	dte_addr = rk_ops()->mk_dtentries(to_rk_domain(iommu->domain)->dt_dma);

	ret = clk_bulk_enable(iommu->num_clocks, iommu->clocks);
	if (ret)
		return ret;

	ret = rk_iommu_enable_stall(iommu);
	if (ret)
		goto out_disable_clocks;

	ret = rk_iommu_force_reset(iommu);
	if (ret)
		goto out_disable_stall;

	/* What is unmapped from here on may be cached. */
	iommu->enabled = true;

	for (i = 0; i < iommu->num_mmu; i++) {
		void __iomem *base = iommu->bases[i];
		u32 auto_gate;

		rk_iommu_write(base, RK_MMU_DTE_ADDR, dte_addr);
		rk_iommu_base_command(base, RK_MMU_CMD_ZAP_CACHE);
		rk_iommu_write(base, RK_MMU_INT_MASK, RK_MMU_IRQ_MASK);

		/*
		 * With the limit the walker gives up on a busy bus, and blocks.
		 */
		auto_gate = rk_iommu_read(base, RK_MMU_AUTO_GATING) |
			    DISABLE_FETCH_DTE_TIME_LIMIT;
		rk_iommu_write(base, RK_MMU_AUTO_GATING, auto_gate);
	}

	ret = rk_iommu_enable_paging(iommu);
	iommu->enabled = ret == 0;

out_disable_stall:
	rk_iommu_disable_stall(iommu);

out_disable_clocks:
	clk_bulk_disable(iommu->num_clocks, iommu->clocks);
	return ret;
}

/* Take @iommu from its domain's list. */
static void rk_iommu_leave_domain(struct rk_iommu *iommu)
{
	struct rk_iommu_domain *rk_domain = to_rk_domain(iommu->domain);
	unsigned long flags;

	iommu->domain = &rk_identity_domain;

	spin_lock_irqsave(&rk_domain->iommus_lock, flags);
	list_del_init(&iommu->node);
	spin_unlock_irqrestore(&rk_domain->iommus_lock, flags);
}

/* The way back. */
static void rk_iommu_enter_domain(struct rk_iommu *iommu,
				  struct iommu_domain *domain)
{
	struct rk_iommu_domain *rk_domain;
	unsigned long flags;

	iommu->domain = domain;
	if (domain == &rk_identity_domain)
		return;

	rk_domain = to_rk_domain(domain);
	spin_lock_irqsave(&rk_domain->iommus_lock, flags);
	list_add_tail(&iommu->node, &rk_domain->iommus);
	spin_unlock_irqrestore(&rk_domain->iommus_lock, flags);
}

/* Take @iommu from its domain, which goes out of force. */
static void rk_iommu_stop(struct rk_iommu *iommu)
{
	int ret;

	rk_iommu_leave_domain(iommu);

	/*
	 * DEVIATION: as long as it is on, here and below, not only while it is
	 * in use. Between its last user and its suspend its twin leaves it
	 * walking tables that are freed, and does not give it the next ones.
	 */
	ret = pm_runtime_get_if_active(iommu->dev);
	WARN_ON_ONCE(ret < 0);
	if (ret > 0) {
		if (iommu->enabled)
			rk_iommu_disable(iommu);
		pm_runtime_put(iommu->dev);
	}
}

static int rk_iommu_identity_attach(struct iommu_domain *identity_domain,
				    struct device *dev)
{
	struct rk_iommu *iommu = rk_iommu_from_dev(dev);

	if (!iommu)
		return -ENODEV;

	dev_dbg(dev, "Detaching from iommu domain\n");

	if (iommu->domain != identity_domain)
		rk_iommu_stop(iommu);
	return 0;
}

static const struct iommu_domain_ops rk_identity_ops = {
	.attach_dev = rk_iommu_identity_attach,
};

static struct iommu_domain rk_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &rk_identity_ops,
};

/*
 * Map, or unmap, the first @count page tables of @rk_domain for @dma_dev, or
 * all: how many it was; fewer: no more can be.
 */
static unsigned int rk_iommu_map_tables(struct rk_iommu_domain *rk_domain,
					struct device *dma_dev, bool map,
					unsigned int count)
{
	unsigned int done = 0;
	int i;

	for (i = 0; i < NUM_DT_ENTRIES && done < count; i++) {
		u32 dte = rk_domain->dt[i];
		phys_addr_t pt_phys;

		if (!rk_dte_is_pt_valid(dte))
			continue;
		pt_phys = rk_ops()->pt_address(dte);
		if (!map) {
			dma_unmap_single(dma_dev, pt_phys, SPAGE_SIZE,
					 DMA_TO_DEVICE);
		} else {
			dma_addr_t pt_dma;

			pt_dma = dma_map_single(dma_dev, phys_to_virt(pt_phys),
						SPAGE_SIZE, DMA_TO_DEVICE);
			if (dma_mapping_error(dma_dev, pt_dma))
				break;
		}
		done++;
	}
	return done;
}

/*
 * DEVIATION: map @rk_domain's tables for @dma_dev, which cleans them, and keep
 * them in step for it from now on: its walker does not snoop, and those before
 * it did. 0 or -ENOMEM, and nothing has changed.
 */
static int rk_iommu_domain_set_dma_dev(struct rk_iommu_domain *rk_domain,
				       struct device *dma_dev)
{
	unsigned long flags;
	int ret;
	dma_addr_t dt_dma;

	spin_lock_irqsave(&rk_domain->dt_lock, flags);
	ret = -ENOMEM;

	dt_dma = dma_map_single(dma_dev, rk_domain->dt, SPAGE_SIZE,
				DMA_TO_DEVICE);
	if (!dma_mapping_error(dma_dev, dt_dma)) {
		unsigned int total = 0;
		int i;
		unsigned int done;

		for (i = 0; i < NUM_DT_ENTRIES; i++) {
			if (rk_dte_is_pt_valid(rk_domain->dt[i]))
				total++;
		}
		done = rk_iommu_map_tables(rk_domain, dma_dev, true,
					   NUM_DT_ENTRIES);
		if (done == total) {
			rk_iommu_map_tables(rk_domain, rk_domain->dma_dev,
					    false, NUM_DT_ENTRIES);
			dma_unmap_single(rk_domain->dma_dev, rk_domain->dt_dma,
					 SPAGE_SIZE, DMA_TO_DEVICE);
			rk_domain->dma_dev = dma_dev;
			rk_domain->dt_dma = dt_dma;
			ret = 0;
		} else {
			rk_iommu_map_tables(rk_domain, dma_dev, false, done);
			dma_unmap_single(dma_dev, dt_dma, SPAGE_SIZE,
					 DMA_TO_DEVICE);
		}
	}

	spin_unlock_irqrestore(&rk_domain->dt_lock, flags);
	return ret;
}

/* If it is on, have @iommu translate by its domain. */
static int rk_iommu_start(struct rk_iommu *iommu)
{
	int ret;

	ret = pm_runtime_get_if_active(iommu->dev);
	if (!ret || WARN_ON_ONCE(ret < 0))
		return 0;

	ret = 0;
	if (!iommu->enabled)
		ret = rk_iommu_enable(iommu);
	if (ret)
		rk_iommu_disable(iommu);

	pm_runtime_put(iommu->dev);
	return ret;
}

static int rk_iommu_attach_device(struct iommu_domain *domain,
				  struct device *dev)
{
	struct rk_iommu_domain *rk_domain = to_rk_domain(domain);
	/* A device that only stands for others has no IOMMU of its own. */
	struct rk_iommu *iommu = rk_iommu_from_dev(dev);
	struct iommu_domain *old_domain;
	int ret;

	if (!iommu)
		return 0;

	dev_dbg(dev, "Attaching to iommu domain\n");

	/* What failed before may work now. */
	if (iommu->domain == domain)
		return rk_iommu_start(iommu);

	old_domain = iommu->domain;
	ret = 0;
	if (dev_is_dma_coherent(rk_domain->dma_dev) &&
	    !dev_is_dma_coherent(iommu->dev))
		ret = rk_iommu_domain_set_dma_dev(rk_domain, iommu->dev);
	if (!ret)
		ret = rk_iommu_identity_attach(&rk_identity_domain, dev);
	if (ret)
		return ret;

	rk_iommu_enter_domain(iommu, domain);
	ret = rk_iommu_start(iommu);
	if (ret) {
		/*
		 * DEVIATION: to where it was, which the core goes on to name.
		 * Its twin stays in identity, for good.
		 */
		rk_iommu_leave_domain(iommu);
		rk_iommu_enter_domain(iommu, old_domain);
	}
	return ret;
}

static struct iommu_domain *rk_iommu_domain_alloc_paging(struct device *dev)
{
	struct rk_iommu_domain *rk_domain;
	struct rk_iommu *iommu;
	void *dt;

	if (!rk.dma_dev)
		return NULL;

	rk_domain = kzalloc(sizeof(*rk_domain), GFP_KERNEL);
	if (!rk_domain)
		return NULL;

	iommu = dev ? rk_iommu_from_dev(dev) : NULL;
	rk_domain->dma_dev = iommu ? iommu->dev : rk.dma_dev;

	dt = iommu_alloc_page(GFP_KERNEL | rk_ops()->gfp_flags);
	if (!dt)
		goto err_free_domain;
	rk_domain->dt = dt;

	rk_domain->dt_dma = dma_map_single(rk_domain->dma_dev, dt, SPAGE_SIZE,
					   DMA_TO_DEVICE);
	if (dma_mapping_error(rk_domain->dma_dev, rk_domain->dt_dma)) {
		dev_err(rk_domain->dma_dev, "DMA map error for DT\n");
		goto err_free_dt;
	}

	spin_lock_init(&rk_domain->iommus_lock);
	spin_lock_init(&rk_domain->dt_lock);
	INIT_LIST_HEAD(&rk_domain->iommus);

	rk_domain->domain.geometry.aperture_start = 0;
	rk_domain->domain.geometry.aperture_end = DMA_BIT_MASK(32);
	rk_domain->domain.geometry.force_aperture = true;

	return &rk_domain->domain;

err_free_dt:
	iommu_free_page(dt);

err_free_domain:
	kfree(rk_domain);

	return NULL;
}

static void rk_iommu_domain_free(struct iommu_domain *domain)
{
	struct rk_iommu_domain *rk_domain = to_rk_domain(domain);
	int i;

	/*
	 * DEVIATION: with its last master gone the core frees a domain that an
	 * IOMMU still has. Its twin warns, and goes on to walk freed memory.
	 */
	while (!list_empty(&rk_domain->iommus))
		rk_iommu_stop(list_first_entry(&rk_domain->iommus,
					       struct rk_iommu, node));

	for (i = 0; i < NUM_DT_ENTRIES; i++) {
		u32 dte = rk_domain->dt[i];
		phys_addr_t pt_phys;

		if (!rk_dte_is_pt_valid(dte))
			continue;
		pt_phys = rk_ops()->pt_address(dte);
		dma_unmap_single(rk_domain->dma_dev, pt_phys, SPAGE_SIZE,
				 DMA_TO_DEVICE);
		iommu_free_page(phys_to_virt(pt_phys));
	}

	dma_unmap_single(rk_domain->dma_dev, rk_domain->dt_dma, SPAGE_SIZE,
			 DMA_TO_DEVICE);
	iommu_free_page(rk_domain->dt);

	kfree(rk_domain);
}

static struct iommu_device *rk_iommu_probe_device(struct device *dev)
{
	struct rk_iommu *iommu = rk_iommu_from_dev(dev);
	struct device_link *link;

	if (!iommu)
		return ERR_PTR(-ENODEV);

	/*
	 * DEVIATION: without the link nobody would ever switch the IOMMU on.
	 * Its twin goes on, and crashes at the release.
	 */
	link = device_link_add(dev, iommu->dev,
			       DL_FLAG_STATELESS | DL_FLAG_PM_RUNTIME);
	if (!link) {
		/* Nobody releases a device that was not probed. */
		devm_kfree(rk.dma_dev, dev_iommu_priv_get(dev));
		dev_iommu_priv_set(dev, NULL);
		return ERR_PTR(-ENODEV);
	}

	return &iommu->iommu;
}

static void rk_iommu_release_device(struct device *dev)
{
	struct rk_iommudata *data = dev_iommu_priv_get(dev);

	/*
	 * DEVIATION: if it is there. A device that is removed has lost it by
	 * now, and its twin deletes it once more.
	 */
	device_link_remove(dev, data->iommu->dev);
	/*
	 * DEVIATION: it is nobody's now. Its twin keeps it until the IOMMU's
	 * driver goes, which is never.
	 */
	devm_kfree(rk.dma_dev, data);
}

static int rk_iommu_of_xlate(struct device *dev,
			     const struct of_phandle_args *args)
{
	struct rk_iommudata *data = dev_iommu_priv_get(dev);
	struct platform_device *iommu_dev;

	/* Of two IOMMUs that a master names it is behind the last one. */
	if (!data) {
		data = devm_kzalloc(rk.dma_dev, sizeof(*data), GFP_KERNEL);
		if (!data)
			return -ENOMEM;
	}

	iommu_dev = of_find_device_by_node(args->np);

	data->iommu = platform_get_drvdata(iommu_dev);
	dev_iommu_priv_set(dev, data);

	put_device(&iommu_dev->dev);

	return 0;
}

static const struct iommu_ops rk_iommu_ops = {
	.identity_domain = &rk_identity_domain,
	.domain_alloc_paging = rk_iommu_domain_alloc_paging,
	.probe_device = rk_iommu_probe_device,
	.release_device = rk_iommu_release_device,
	.device_group = generic_single_device_group,
	.pgsize_bitmap = RK_IOMMU_PGSIZE_BITMAP,
	.of_xlate = rk_iommu_of_xlate,
	.default_domain_ops = &(const struct iommu_domain_ops) {
		.attach_dev = rk_iommu_attach_device,
		.map_pages = rk_iommu_map,
		.unmap_pages = rk_iommu_unmap,
		.iova_to_phys = rk_iommu_iova_to_phys,
		.free = rk_iommu_domain_free,
	},
	.owner = THIS_MODULE,
};

/*
 * The register windows: those that can be mapped. DEVIATION: without holes; its
 * twin would use the wrong ones.
 */
static int rk_iommu_map_windows(struct rk_iommu *iommu,
				struct platform_device *pdev)
{
	u32 num_res = pdev->num_resources;
	int err = -EINVAL;
	void **bases;
	u32 i;

	bases = devm_kcalloc(&pdev->dev, num_res, sizeof(*bases), GFP_KERNEL);
	if (!bases)
		return -ENOMEM;
	iommu->bases = bases;

	for (i = 0; i < num_res; i++) {
		struct resource *res;
		void __iomem *base;

		res = platform_get_resource(pdev, IORESOURCE_MEM, i);
		if (!res)
			continue;
		base = devm_ioremap_resource(&pdev->dev, res);
		if (!IS_ERR(base))
			iommu->bases[iommu->num_mmu++] = base;
		else if (!i)
			err = PTR_ERR(base);
	}
	return !iommu->num_mmu ? err : 0;
}

static int rk_iommu_request_irqs(struct rk_iommu *iommu,
				 struct platform_device *pdev)
{
	int i;

	for (i = 0; i < iommu->num_irq; i++) {
		int irq, err;

		irq = platform_get_irq(pdev, i);
		if (irq < 0)
			return irq;

		err = devm_request_irq(iommu->dev, irq, rk_iommu_irq,
				       IRQF_SHARED, dev_name(iommu->dev),
				       iommu);
		if (err)
			return err;
	}
	return 0;
}

static int rk_iommu_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct rk_iommu *iommu;
	const struct rk_iommu_ops *ops;
	int err, i;
	struct clk_bulk_data *clocks;
	bool first;

	iommu = devm_kzalloc(dev, sizeof(*iommu), GFP_KERNEL);
	if (!iommu)
		return -ENOMEM;

	iommu->domain = &rk_identity_domain;
	platform_set_drvdata(pdev, iommu);
	iommu->dev = dev;

	ops = of_device_get_match_data(dev);
	if (!rk.ops)
		rk.ops = ops;

	/* Domains are made for any of them. */
	if (WARN_ON(rk.ops != ops))
		return -EINVAL;

	err = rk_iommu_map_windows(iommu, pdev);
	if (err)
		return err;

	iommu->num_irq = platform_irq_count(pdev);
	if (iommu->num_irq < 0)
		return iommu->num_irq;

	iommu->reset_disabled =
		device_property_read_bool(dev, "rockchip,disable-mmu-reset");

	iommu->num_clocks = ARRAY_SIZE(rk_iommu_clocks);
	clocks = devm_kcalloc(dev, iommu->num_clocks, sizeof(*clocks),
			      GFP_KERNEL);
	if (!clocks)
		return -ENOMEM;
	iommu->clocks = clocks;
	for (i = 0; i < iommu->num_clocks; i++)
		clocks[i].id = rk_iommu_clocks[i];

	/* Old trees have none. */
	err = devm_clk_bulk_get(dev, iommu->num_clocks, clocks);
	if (err == -ENOENT)
		iommu->num_clocks = 0;
	else if (err)
		return err;

	err = clk_bulk_prepare(iommu->num_clocks, clocks);
	if (err)
		return err;

	err = iommu_device_sysfs_add(&iommu->iommu, dev, NULL, dev_name(dev));
	if (err)
		goto err_unprepare_clocks;

	err = iommu_device_register(&iommu->iommu, &rk_iommu_ops, dev);
	if (err)
		goto err_remove_sysfs;

	first = !rk.dma_dev;
	if (!rk.dma_dev)
		rk.dma_dev = dev;

	pm_runtime_enable(dev);

	err = rk_iommu_request_irqs(iommu, pdev);
	if (!err) {
		dma_set_mask_and_coherent(dev, ops->dma_bit_mask);
		return 0;
	}

	pm_runtime_disable(dev);
	/*
	 * DEVIATION: the core forgets it, and so does this driver. Its twin
	 * leaves both with what is about to be freed.
	 */
	if (first)
		rk.dma_dev = NULL;
	iommu_device_unregister(&iommu->iommu);

err_remove_sysfs:
	iommu_device_sysfs_remove(&iommu->iommu);

err_unprepare_clocks:
	clk_bulk_unprepare(iommu->num_clocks, clocks);
	return err;
}

static void rk_iommu_shutdown(struct platform_device *pdev)
{
	struct rk_iommu *iommu = platform_get_drvdata(pdev);
	int i;

	for (i = 0; i < iommu->num_irq; i++)
		devm_free_irq(iommu->dev, platform_get_irq(pdev, i), iommu);

	pm_runtime_force_suspend(&pdev->dev);
}

static int rk_iommu_suspend(struct device *dev)
{
	struct rk_iommu *iommu = dev_get_drvdata(dev);

	if (iommu->enabled)
		rk_iommu_disable(iommu);
	return 0;
}

static int rk_iommu_resume(struct device *dev)
{
	struct rk_iommu *iommu = dev_get_drvdata(dev);

	if (iommu->domain == &rk_identity_domain)
		return 0;

	return rk_iommu_enable(iommu);
}

static const struct dev_pm_ops rk_iommu_pm_ops = {
	.runtime_suspend = rk_iommu_suspend,
	.runtime_resume = rk_iommu_resume,
	.suspend = pm_runtime_force_suspend,
	.resume = pm_runtime_force_resume,
};

static const struct rk_iommu_ops iommu_data_ops_v1 = {
	.pt_address = rk_dte_pt_address,
	.mk_dtentries = rk_mk_dte,
	.mk_ptentries = rk_mk_pte,
	.page_flags_mask = RK_PTE_PAGE_FLAGS_MASK,
	.dma_bit_mask = DMA_BIT_MASK(32),
	.gfp_flags = GFP_DMA32,
};

static const struct rk_iommu_ops iommu_data_ops_v2 = {
	.pt_address = rk_dte_pt_address_v2,
	.mk_dtentries = rk_mk_dte_v2,
	.mk_ptentries = rk_mk_pte_v2,
	.page_flags_mask = RK_PTE_PAGE_FLAGS_MASK_V2,
	.dma_bit_mask = DMA_BIT_MASK(40),
	.gfp_flags = 0,
};

static const struct of_device_id rk_iommu_dt_ids[] = {
	{ .compatible = "rockchip,iommu", .data = &iommu_data_ops_v1 },
	{ .compatible = "rockchip,rk3568-iommu", .data = &iommu_data_ops_v2 },
	{ /* sentinel */ }
};
MODULE_DEVICE_TABLE(of, rk_iommu_dt_ids);

static struct platform_driver rk_iommu_driver = {
	.probe = rk_iommu_probe,
	.shutdown = rk_iommu_shutdown,
	.driver = {
		.name = "rk_iommu",
		.of_match_table = rk_iommu_dt_ids,
		.pm = &rk_iommu_pm_ops,
		.suppress_bind_attrs = true,
	},
};
builtin_platform_driver(rk_iommu_driver);

MODULE_DESCRIPTION("The IOMMUs of Rockchip's chips, in both of their table formats");
MODULE_LICENSE("GPL");
