// SPDX-License-Identifier: GPL-2.0-only
/*
 * exerciser: calls the kernel's public DMA and IOMMU interfaces from a script. Commands are written, one a line, to
 * /proc/exerciser; each gives one line "<number>\t<JSON>\t<register accesses>", to be read back from the same file.
 * "begin N" starts a script: a new answer buffer, and step numbers from 1. "KIT-STEP N.number" marks the steps in the
 * kernel's log. player.c plays the registers. The master devices are there from "boot" on, so that none of the
 * IOMMU's registers is touched before somebody looks.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/of.h>
#include <linux/of_irq.h>
#include <linux/irq.h>
#include <linux/interrupt.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/dma-mapping.h>
#include <linux/dma-direct.h>
#include <linux/iommu.h>
#include <linux/scatterlist.h>
#include <linux/kernel_read_file.h>
#include <linux/of_platform.h>
#include <linux/pm_runtime.h>
#include <linux/suspend.h>
#include <linux/umh.h>
#include "player.h"

#define NDEV 8
#define NSLOT 8192
#define NDOM 16
#define NTOK 600
#define OUTSZ (24u << 20)
#define LINESZ 65536

static struct device *devs[NDEV];
static char *outbuf, *line;
static size_t outlen, linelen;
static unsigned int lineno, script;
static bool peek, runtime_pm, stopped;
module_param(peek, bool, 0444);
module_param(runtime_pm, bool, 0444);
static DEFINE_MUTEX(lock);

static char *tok[NTOK];
static int ntok;

struct slot {
	int kind;			/* 0 free, 1 coherent, 2 page, 3 sg, 4 resource */
	struct device *dev;
	dma_addr_t dma;
	void *cpu;
	size_t size;
	phys_addr_t phys;
	int dir;
	unsigned long attrs;
	struct sg_table sgt;
	int nents;
};
static struct slot *slots;

static struct iommu_domain *doms[NDOM];
static char owners[16];

/*
 * How sun50i-iommu.c lays out its private domain, as far as "pte" and "ptes" look at it.
 * A driver that has another layout is loaded with peek=0, and those answers are left out.
 */
struct sun50i_domain_view {
	struct iommu_domain domain;
	refcount_t refcnt;
	u32 *dt;
	dma_addr_t dt_dma;
	void *iommu;
};

static __printf(1, 2) void out(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	outlen += vscnprintf(outbuf + outlen, OUTSZ - outlen, fmt, ap);
	va_end(ap);
}

static u64 num(const char *s)
{
	u64 v = 0;

	if (!strcmp(s, "-1"))
		return ~0ULL;
	if (kstrtoull(s, 0, &v))
		pr_err("exerciser: bad number '%s' on line %u\n", s, lineno);
	return v;
}
static u64 A(int i) { return i < ntok ? num(tok[i]) : 0; }
static struct device *D(int i)
{
	u64 v = A(i);

	return v < NDEV ? devs[v] : NULL;
}
static struct slot *S(int i) { return &slots[A(i) % NSLOT]; }

static void out_ret(long r)
{
	if (r < 0)
		out("\"%pe\"", ERR_PTR(r));
	else
		out("%ld", r);
}

static void out_dma(struct device *dev, dma_addr_t a)
{
	if (dma_mapping_error(dev, a))
		out("\"DMA_MAPPING_ERROR\"");
	else
		out("\"0x%llx\"", (u64)a);
}

static phys_addr_t dev_phys(struct device *dev, dma_addr_t a)
{
	struct iommu_domain *d = iommu_get_domain_for_dev(dev);

	if (d)
		return iommu_iova_to_phys(d, a);
	return dma_to_phys(dev, a);
}

static u32 fnv(u32 h, const u8 *p, size_t n)
{
	while (n--)
		h = (h ^ *p++) * 16777619u;
	return h;
}
static u8 pat(u32 seed, size_t i) { return (u8)(seed + i * 3 + (i >> 8) * 5); }

/* "page[+offset]:length,..." where page may carry the offset in its low bits */
static int parse_sg(char *s, struct sg_table *t)
{
	struct scatterlist *sg;
	char *p, *e;
	int n = 1, i = 0, r;

	for (p = s; *p; p++)
		if (*p == ',')
			n++;
	r = sg_alloc_table(t, n, GFP_KERNEL);
	if (r)
		return r;
	sg = t->sgl;
	while ((e = strsep(&s, ",")) != NULL) {
		char *len = e, *addr, *off;
		u64 a, o;

		addr = strsep(&len, ":");
		off = addr;
		addr = strsep(&off, "+");
		a = num(addr);
		o = off ? num(off) : 0;
		sg_set_page(sg, pfn_to_page(a >> 12), len ? num(len) : 0, (a & 0xfff) + o);
		sg = sg_next(sg);
		i++;
	}
	return i;
}

static void out_sgl(struct scatterlist *sgl, int n)
{
	struct scatterlist *s;
	int i;

	out("[");
	for (i = 0, s = sgl; i < n && s; i++, s = sg_next(s))
		out("%s[\"0x%llx\",%u,%u]", i ? "," : "",
		    (u64)page_to_phys(sg_page(s)), s->offset, s->length);
	out("]");
}
static void out_segs(struct scatterlist *sgl, int n)
{
	struct scatterlist *s;
	int i;

	out("[");
	for (i = 0, s = sgl; i < n && s; i++, s = sg_next(s))
		out("%s[\"0x%llx\",%u]", i ? "," : "", (u64)sg_dma_address(s), sg_dma_len(s));
	out("]");
}

/* ---- general ---- */
static void c_nop(void) { out("0"); }
static void c_sleep(void) { msleep(A(1)); out("0"); }

/* ---- device limits ---- */
static void c_setmask(void) { out_ret(dma_set_mask_and_coherent(D(1), A(2))); }
static void c_dmask(void) { out_ret(dma_set_mask(D(1), A(2))); }
static void c_cmask(void) { out_ret(dma_set_coherent_mask(D(1), A(2))); }
static void c_segs(void)
{
	dma_set_max_seg_size(D(1), A(2));
	dma_set_seg_boundary(D(1), A(3));
	out("{\"max_seg_size\":%u,\"seg_boundary\":\"0x%lx\"}",
	    dma_get_max_seg_size(D(1)), dma_get_seg_boundary(D(1)));
}
static void c_info(void)
{
	struct device *d = D(1);

	out("{\"dma_mask\":\"0x%llx\",\"coherent_dma_mask\":\"0x%llx\",\"bus_dma_limit\":\"0x%llx\",",
	    dma_get_mask(d), d->coherent_dma_mask, (u64)d->bus_dma_limit);
	out("\"required_mask\":\"0x%llx\",\"max_mapping_size\":\"0x%zx\",\"opt_mapping_size\":\"0x%zx\",",
	    dma_get_required_mask(d), dma_max_mapping_size(d), dma_opt_mapping_size(d));
	out("\"merge_boundary\":\"0x%lx\",\"can_mmap\":%d,\"addressing_limited\":%d,\"max_seg_size\":%u,",
	    dma_get_merge_boundary(d), dma_can_mmap(d), dma_addressing_limited(d),
	    dma_get_max_seg_size(d));
	out("\"seg_boundary\":\"0x%lx\",\"min_align_mask\":%u,\"need_sync\":%d,\"cache_alignment\":%d}",
	    dma_get_seg_boundary(d), dma_get_min_align_mask(d), dma_dev_need_sync(d),
	    dma_get_cache_alignment());
}

/* ---- streaming and coherent mappings ---- */
static bool slot_busy(struct slot *s)
{
	if (!s->kind)
		return false;
	out("\"slot busy\"");
	return true;
}
static bool slot_empty(struct slot *s, int kind)
{
	if (s->kind == kind)
		return false;
	out("\"skip\"");
	return true;
}
/* ac D slot size [attrs] */
static void c_ac(void)
{
	struct device *d = D(1);
	struct slot *s = S(2);
	dma_addr_t dma = 0;
	void *p;

	if (slot_busy(s))
		return;
	p = dma_alloc_attrs(d, A(3), &dma, GFP_KERNEL | __GFP_NOWARN, A(4));
	if (!p) {
		out("null");
		return;
	}
	*s = (struct slot){ .kind = 1, .dev = d, .dma = dma, .cpu = p, .size = A(3), .attrs = A(4) };
	out("\"0x%llx\"", (u64)dma);
}
static void c_fc(void)
{
	struct slot *s = S(1);

	if (slot_empty(s, 1))
		return;
	dma_free_attrs(s->dev, s->size, s->cpu, s->dma, s->attrs);
	s->kind = 0;
	out("0");
}
/* is the coherent buffer zeroed, and does the device see its pages */
static void c_acinfo(void)
{
	struct slot *s = S(1);
	size_t i, n = s->size, bad = 0, match = 0, pages = PAGE_ALIGN(n) >> 12;

	if (slot_empty(s, 1))
		return;
	for (i = 0; i < PAGE_ALIGN(n); i++)
		if (((u8 *)s->cpu)[i])
			bad++;
	for (i = 0; i < pages; i++) {
		void *v = s->cpu + i * 4096;
		phys_addr_t p = is_vmalloc_addr(v) ? page_to_phys(vmalloc_to_page(v)) : virt_to_phys(v);

		if (dev_phys(s->dev, s->dma + i * 4096) == p)
			match++;
	}
	out("{\"nonzero\":%zu,\"pages\":%zu,\"device_view_matches\":%zu,\"cpu_page_aligned\":%d,\"vmalloc\":%d}",
	    bad, pages, match, offset_in_page(s->cpu) == 0, is_vmalloc_addr(s->cpu));
}
/* mp|ms D slot phys size dir attrs */
static void map_one(bool single)
{
	struct device *d = D(1);
	struct slot *s = S(2);
	phys_addr_t p = A(3);
	dma_addr_t dma;

	if (slot_busy(s))
		return;
	if (single)
		dma = dma_map_single_attrs(d, phys_to_virt(p), A(4), A(5), A(6));
	else
		dma = dma_map_page_attrs(d, pfn_to_page(p >> 12), p & 0xfff, A(4), A(5), A(6));
	if (!dma_mapping_error(d, dma))
		*s = (struct slot){ .kind = 2, .dev = d, .dma = dma, .size = A(4), .phys = p,
				    .dir = A(5), .attrs = A(6) };
	out_dma(d, dma);
}
static void c_mp(void) { map_one(false); }
static void c_ms(void) { map_one(true); }
static void c_um(void)
{
	struct slot *s = S(1);

	if (slot_empty(s, 2))
		return;
	dma_unmap_page_attrs(s->dev, s->dma, s->size, s->dir, s->attrs);
	s->kind = 0;
	out("0");
}
/* mr D slot phys size dir attrs */
static void c_mr(void)
{
	struct device *d = D(1);
	struct slot *s = S(2);
	dma_addr_t dma;

	if (slot_busy(s))
		return;
	dma = dma_map_resource(d, A(3), A(4), A(5), A(6));
	if (!dma_mapping_error(d, dma))
		*s = (struct slot){ .kind = 4, .dev = d, .dma = dma, .size = A(4), .phys = A(3),
				    .dir = A(5), .attrs = A(6) };
	out_dma(d, dma);
}
static void c_ur(void)
{
	struct slot *s = S(1);

	if (slot_empty(s, 4))
		return;
	dma_unmap_resource(s->dev, s->dma, s->size, s->dir, s->attrs);
	s->kind = 0;
	out("0");
}
/* sg|sgt D slot dir attrs list */
static void map_list(bool sgt)
{
	struct device *d = D(1);
	struct slot *s = S(2);
	struct sg_table t;
	int n, r;

	if (slot_busy(s))
		return;
	n = parse_sg(tok[5], &t);
	if (n < 0) {
		out_ret(n);
		return;
	}
	if (sgt) {
		r = dma_map_sgtable(d, &t, A(3), A(4));
		out("{\"ret\":");
		out_ret(r);
		r = r ? 0 : t.nents;
		out(",\"nents\":%d", r);
	} else {
		r = dma_map_sg_attrs(d, t.sgl, n, A(3), A(4));
		out("{\"nents\":%d", r);
	}
	if (r > 0) {
		out(",\"segs\":");
		out_segs(t.sgl, r);
		*s = (struct slot){ .kind = 3, .dev = d, .sgt = t, .nents = n,
				    .dir = A(3), .attrs = A(4) };
		if (r < n) {
			struct scatterlist *l = t.sgl;
			int i;

			for (i = 0; i < r; i++)
				l = sg_next(l);
			out(",\"next\":[\"0x%llx\",%u]", (u64)sg_dma_address(l), sg_dma_len(l));
		}
	} else {
		out(",\"after\":");
		out_segs(t.sgl, n);
	}
	out(",\"list\":");
	out_sgl(t.sgl, n);
	out("}");
	if (r <= 0)
		sg_free_table(&t);
}
static void c_sg(void) { map_list(false); }
static void c_sgt(void) { map_list(true); }
static void c_usg(void)
{
	struct slot *s = S(1);

	if (slot_empty(s, 3))
		return;
	dma_unmap_sg_attrs(s->dev, s->sgt.sgl, s->nents, s->dir, s->attrs);
	sg_free_table(&s->sgt);
	s->kind = 0;
	out("0");
}
/* sgcpu|sgdev slot */
static void c_sgcpu(void)
{
	struct slot *s = S(1);

	if (slot_empty(s, 3))
		return;
	dma_sync_sg_for_cpu(s->dev, s->sgt.sgl, s->nents, s->dir);
	out("0");
}
static void c_sgdev(void)
{
	struct slot *s = S(1);

	if (slot_empty(s, 3))
		return;
	dma_sync_sg_for_device(s->dev, s->sgt.sgl, s->nents, s->dir);
	out("0");
}
static void c_i2p(void)
{
	struct iommu_domain *d = iommu_get_domain_for_dev(D(1));

	out("\"0x%llx\"", d ? (u64)iommu_iova_to_phys(d, A(2)) : 0);
}
/* i2ps D slot off : where the device would land for byte off of the mapping */
static void c_i2ps(void)
{
	struct slot *s = S(2);

	if (!s->kind) {
		out("\"skip\"");
		return;
	}
	out("\"0x%llx\"", (u64)dev_phys(D(1), s->dma + A(3)));
}
/* scpu|sdev slot off len [dir] */
static void c_scpu(void)
{
	struct slot *s = S(1);

	if (slot_empty(s, 2))
		return;
	dma_sync_single_for_cpu(s->dev, s->dma + A(2), A(3), ntok > 4 ? A(4) : s->dir);
	out("0");
}
static void c_sdev(void)
{
	struct slot *s = S(1);

	if (slot_empty(s, 2))
		return;
	dma_sync_single_for_device(s->dev, s->dma + A(2), A(3), ntok > 4 ? A(4) : s->dir);
	out("0");
}
/* fill phys len seed ; sum phys len ; hex phys len */
static void c_fill(void)
{
	u8 *p = phys_to_virt(A(1));
	size_t i, n = A(2);
	u32 seed = A(3);

	for (i = 0; i < n; i++)
		p[i] = pat(seed, i);
	out("\"0x%08x\"", fnv(2166136261u, p, n));
}
static void c_sum(void) { out("\"0x%08x\"", fnv(2166136261u, phys_to_virt(A(1)), A(2))); }
/* dfill slot off len seed : what a device write through the mapping would do */
static void dev_access(bool wr)
{
	struct slot *s = S(1);
	size_t off = A(2), n = A(3), i;
	u32 seed = A(4), h = 2166136261u;

	if (!s->kind || s->kind > 2) {
		out("\"skip\"");
		return;
	}
	for (i = 0; i < n; i++) {
		u8 *p = phys_to_virt(dev_phys(s->dev, s->dma + off + i));

		if (wr)
			*p = pat(seed, i);
		h = fnv(h, p, 1);
	}
	out("\"0x%08x\"", h);
}
static void c_dfill(void) { dev_access(true); }
static void c_dsum(void) { dev_access(false); }

/* ---- IOMMU core ---- */
static int dom_index(struct iommu_domain *d)
{
	int i;

	for (i = 0; i < NDOM; i++)
		if (d && doms[i] == d)
			return i;
	return -1;
}
static void out_dom(struct iommu_domain *d)
{
	if (!d) {
		out("null");
		return;
	}
	out("{\"known_as\":%d,\"type\":\"0x%x\",\"pgsize_bitmap\":\"0x%lx\",\"aperture_start\":\"0x%llx\",\"aperture_end\":\"0x%llx\",\"force_aperture\":%d,\"has_cookie\":%d",
	    dom_index(d), d->type, d->pgsize_bitmap, (u64)d->geometry.aperture_start,
	    (u64)d->geometry.aperture_end, d->geometry.force_aperture, d->iova_cookie != NULL);
	if (peek && (d->type & __IOMMU_DOMAIN_PAGING))
		out(",\"driver_refcnt\":%u", refcount_read(&container_of(d, struct sun50i_domain_view, domain)->refcnt));
	out("}");
}
static void c_da(void)
{
	struct iommu_domain *d = iommu_paging_domain_alloc(D(2));

	if (IS_ERR(d)) {
		out_ret(PTR_ERR(d));
		return;
	}
	doms[A(1)] = d;
	out_dom(d);
}
static void c_db(void)
{
	struct iommu_domain *d = iommu_domain_alloc(&platform_bus_type);

	doms[A(1)] = d;
	out_dom(d);
}
static void c_df(void) { iommu_domain_free(doms[A(1)]); doms[A(1)] = NULL; out("0"); }
static void c_dcur(void)
{
	struct iommu_domain *d = iommu_get_domain_for_dev(D(1));

	if (ntok > 2)
		doms[A(2)] = d;
	out_dom(d);
}
static void c_att(void) { out_ret(iommu_attach_device(doms[A(1)], D(2))); }
static void c_det(void) { iommu_detach_device(doms[A(1)], D(2)); out("0"); }
static void c_attg(void)
{
	struct iommu_group *g = iommu_group_get(D(2));

	if (!g) {
		out("\"no group\"");
		return;
	}
	out_ret(iommu_attach_group(doms[A(1)], g));
	iommu_group_put(g);
}
static void c_detg(void)
{
	struct iommu_group *g = iommu_group_get(D(2));

	iommu_detach_group(doms[A(1)], g);
	iommu_group_put(g);
	out("0");
}
static void c_claimg(void)
{
	struct iommu_group *g = iommu_group_get(D(1));

	out_ret(iommu_group_claim_dma_owner(g, &owners[A(2)]));
	iommu_group_put(g);
}
static void c_relg(void)
{
	struct iommu_group *g = iommu_group_get(D(1));

	iommu_group_release_dma_owner(g);
	iommu_group_put(g);
	out("0");
}
static void c_claimd(void) { out_ret(iommu_device_claim_dma_owner(D(1), &owners[A(2)])); }
static void c_reld(void) { iommu_device_release_dma_owner(D(1)); out("0"); }
static void c_owned(void)
{
	struct iommu_group *g = iommu_group_get(D(1));

	if (!g) {
		out("\"no group\"");
		return;
	}
	out("%d", iommu_group_dma_owner_claimed(g));
	iommu_group_put(g);
}
static void c_map(void) { out_ret(iommu_map(doms[A(1)], A(2), A(3), A(4), A(5), GFP_KERNEL)); }
static void c_unmap(void) { out("\"0x%zx\"", iommu_unmap(doms[A(1)], A(2), A(3))); }
static void c_ufast(void)
{
	struct iommu_iotlb_gather g;
	size_t r;

	iommu_iotlb_gather_init(&g);
	r = iommu_unmap_fast(doms[A(1)], A(2), A(3), &g);
	out("{\"ret\":\"0x%zx\",\"gather\":{\"start\":\"0x%lx\",\"end\":\"0x%lx\",\"pgsize\":\"0x%zx\"}}",
	    r, g.start, g.end, g.pgsize);
	if (A(4))
		iommu_iotlb_sync(doms[A(1)], &g);
}
/* mapsg dom iova prot list */
static void c_mapsg(void)
{
	struct sg_table t;
	int n = parse_sg(tok[4], &t);
	ssize_t r;

	if (n < 0) {
		out_ret(n);
		return;
	}
	r = iommu_map_sg(doms[A(1)], A(2), t.sgl, n, A(3), GFP_KERNEL);
	if (r < 0)
		out_ret(r);
	else
		out("\"0x%zx\"", r);
	sg_free_table(&t);
}
static void c_dphys(void) { out("\"0x%llx\"", (u64)iommu_iova_to_phys(doms[A(1)], A(2))); }
static void c_flushall(void) { iommu_flush_iotlb_all(doms[A(1)]); out("0"); }
/* pte dom iova : the two table words the hardware would read */
static void c_pte(void)
{
	struct sun50i_domain_view *v = container_of(doms[A(1)], struct sun50i_domain_view, domain);
	u32 dte, pte = 0;

	if (!peek) {
		out("null");
		return;
	}
	dte = v->dt[(A(2) >> 20) & 4095];
	if ((dte & 3) == 1)
		pte = ((u32 *)phys_to_virt(dte & ~0x3ffu))[(A(2) >> 12) & 255];
	out("{\"dte_low10\":\"0x%03x\",\"pt\":%d,\"pte\":\"0x%08x\"}", dte & 0x3ff, dte != 0, pte);
}
/* ptes dom : count of valid directory entries and page entries, and a checksum of where and what the latter are */
static void c_ptes(void)
{
	struct sun50i_domain_view *v = container_of(doms[A(1)], struct sun50i_domain_view, domain);
	int i, j, d = 0, n = 0;
	u32 h = 2166136261u;

	if (!peek) {
		out("null");
		return;
	}
	for (i = 0; i < 4096; i++) {
		u32 dte = v->dt[i];

		if ((dte & 3) != 1)
			continue;
		d++;
		for (j = 0; j < 256; j++) {
			u32 pte = ((u32 *)phys_to_virt(dte & ~0x3ffu))[j], w[3] = { i, j, pte };

			if (!(pte & 2))
				continue;
			n++;
			h = fnv(h, (u8 *)w, sizeof(w));
		}
	}
	out("{\"dtes\":%d,\"ptes\":%d,\"fnv\":\"0x%08x\",\"refcnt\":%u}", d, n, h, refcount_read(&v->refcnt));
}
static void c_gid(void)
{
	struct iommu_group *g = iommu_group_get(D(1));

	if (!g) {
		out("null");
		return;
	}
	out("{\"id\":%d,\"dev_name\":\"%s\"}", iommu_group_id(g), dev_name(D(1)));
	iommu_group_put(g);
}
static void c_resv(void)
{
	struct iommu_resv_region *r;
	LIST_HEAD(l);
	int i = 0;

	iommu_get_resv_regions(D(1), &l);
	out("[");
	list_for_each_entry(r, &l, list)
		out("%s[\"0x%llx\",\"0x%zx\",%d]", i++ ? "," : "",
		    (u64)r->start, r->length, r->type);
	out("]");
	iommu_put_resv_regions(D(1), &l);
}
static void c_capable(void)
{
	int i;

	out("[");
	for (i = 0; i <= IOMMU_CAP_DIRTY_TRACKING; i++)
		out("%s%d", i ? "," : "", device_iommu_capable(D(1), i));
	out("]");
}
static int on_fault(struct iommu_domain *d, struct device *dev, unsigned long iova, int flags, void *token)
{
	pr_warn("ORACLE-HANDLER dev=%s iova=%#lx flags=%x token=7 -> %d\n",
		dev_name(dev), iova, flags, (int)(long)token);
	return (long)token;
}
static void c_handler(void)
{
	iommu_set_fault_handler(doms[A(1)], on_fault, (void *)-(long)A(2));
	out("0");
}
static void c_rfault(void) { out_ret(report_iommu_fault(doms[A(1)], D(2), A(3), A(4))); }

/* ---- the board: registers, interrupts, power, everything that a shell does ---- */
/* with a window's number before them on boards that have several */
static void c_rset(void)
{
	player_set(ntok > 3 ? A(1) : 0, A(ntok - 2), A(ntok - 1));
	out("0");
}
static void c_rget(void) { out("\"0x%08x\"", player_get(ntok > 2 ? A(1) : 0, A(ntok - 1))); }
static void c_ram(void) { player_ram(A(1)); out("0"); }
static void c_regs(void) { player_show(A(1), out); }
static void c_walk(void) { player_walk(A(1), A(2), out); }
static void c_tables(void) { player_tables(A(1), out); }
static void c_hwreset(void) { player_reset(A(1)); out("0"); }
static void c_quirk(void) { player_quirk(A(1), A(2)); out("0"); }
static void c_poke(void) { *(u32 *)phys_to_virt(A(1)) = A(2); out("0"); }
/* event stream address write : what the hardware would say of an access that it refused */
static void c_event(void) { out_ret(player_event(A(1), A(2), A(3), A(4))); }
/* irq [I K] : interrupt K of IOMMU I */
static void c_irq(void)
{
	struct device_node *np = player_node(A(1));
	int irq = of_irq_get(np, A(2)), r;

	r = irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, true);
	msleep(20);
	out_ret(r);
}
static void power(struct device *d, char what)
{
	static const char * const names[] = {
		[RPM_ACTIVE] = "active", [RPM_RESUMING] = "resuming",
		[RPM_SUSPENDED] = "suspended", [RPM_SUSPENDING] = "suspending",
	};

	switch (what) {
	case 'g':
		out_ret(pm_runtime_get_sync(d));
		break;
	case 'p':
		out_ret(pm_runtime_put_sync(d));
		break;
	case 'c':
		out_ret(pm_runtime_set_suspended(d));
		break;
	default:
		out("{\"usage\":%d,\"status\":\"%s\",\"error\":%d,\"disable_depth\":%u}",
		    atomic_read(&d->power.usage_count), names[d->power.runtime_status],
		    d->power.runtime_error, d->power.disable_depth);
	}
}
static void c_pm(void) { power(D(1), tok[0][2]); }
static void c_ipm(void)
{
	struct platform_device *pdev = of_find_device_by_node(player_node(A(1)));

	power(&pdev->dev, tok[0][1]);
	put_device(&pdev->dev);
}
static char *rest;
static char *masters[NDEV], *fresh = "DMA-FQ";
static int nmasters;
module_param_array(masters, charp, &nmasters, 0444);	/* those behind an IOMMU */
module_param(fresh, charp, 0444);			/* a domain type that makes the way back to DMA a new domain */

/* run @text by /sh.sh, which leaves the answer in /tmp/sh.json; what it puts off has its turn before anything else */
static void shell(const char *text, bool answer)
{
	char *argv[] = { "/bin/sh", "/sh.sh", (char *)text, NULL }, *envp[] = { "PATH=/bin", NULL };
	void *json = NULL;
	ssize_t n;

	call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
	flush_workqueue(pm_wq);
	if (!answer)
		return;
	n = kernel_read_file_from_path("/tmp/sh.json", 0, &json, PAGE_SIZE, NULL, READING_POLICY);
	out("%.*s", (int)max_t(ssize_t, n, 0), n > 0 ? (char *)json : "");
	vfree(json);
}
static void each(const char *command)
{
	char text[64];
	int i;

	for (i = 0; i < nmasters; i++) {
		snprintf(text, sizeof(text), "%s %s", command, masters[i]);
		shell(text, false);
	}
}
static void c_sh(void) { shell(rest, true); }
/* suspend : to idle and back, no further than the devices. A helper that runs would keep the kernel from it. */
static void c_suspend(void)
{
	shell("echo devices > /sys/power/pm_test", false);
	out_ret(pm_suspend(PM_SUSPEND_TO_IDLE));
}
static void c_leave(void) { each("unbind"); out("0"); }
static void c_enter(void) { each("bind"); out("0"); }
static void c_manage(void) { each("unbind"); each("manage"); out("0"); }
static void c_fresh(void)
{
	char text[64];

	each("unbind");
	snprintf(text, sizeof(text), "retype %s", fresh);
	shell(text, false);
	each("bind");
	out("0");
}

/* ---- groups ---- */
static int show_dev(struct device *d, void *n)
{
	out("%s\"%s\"", (*(int *)n)++ ? "," : "", dev_name(d));
	return 0;
}
static void c_gdevs(void)
{
	struct iommu_group *g = iommu_group_get(D(1));
	int n = 0;

	out("[");
	iommu_group_for_each_dev(g, &n, show_dev);
	out("]");
	iommu_group_put(g);
}
static void c_fwspec(void)
{
	struct iommu_fwspec *f = dev_iommu_fwspec_get(D(1));
	unsigned int i;

	if (!f) {
		out("null");
		return;
	}
	out("{\"ids\":[");
	for (i = 0; i < f->num_ids; i++)
		out("%s%u", i ? "," : "", f->ids[i]);
	out("],\"iommu\":\"%pfwP\"}", f->iommu_fwnode);
}

static int exerciser_index(struct platform_device *pdev)
{
	u32 i;

	return of_property_read_u32(pdev->dev.of_node, "oracle,index", &i) || i >= NDEV ? -EINVAL : i;
}
static int exerciser_probe(struct platform_device *pdev)
{
	int i = exerciser_index(pdev);

	if (i < 0)
		return i;
	flush_workqueue(pm_wq);
	player_note("bind(%d)", i);
	devs[i] = &pdev->dev;
	if (runtime_pm)
		pm_runtime_enable(&pdev->dev);
	return 0;
}
static void exerciser_remove(struct platform_device *pdev)
{
	flush_workqueue(pm_wq);		/* a suspend that was put off comes before */
	player_note("unbind(%d)", exerciser_index(pdev));
	if (runtime_pm)
		pm_runtime_disable(&pdev->dev);
}

static const struct of_device_id exerciser_ids[] = {
	{ .compatible = "oracle,master" },
	{ }
};
static struct platform_driver exerciser_driver = {
	.probe = exerciser_probe,
	.remove = exerciser_remove,
	.driver = { .name = "oracle", .of_match_table = exerciser_ids },
};
static struct platform_driver exerciser_managed_driver = {
	.probe = exerciser_probe,
	.remove = exerciser_remove,
	.driver_managed_dma = true,
	.driver = { .name = "oracle-managed", .of_match_table = exerciser_ids },
};

/* boot : load the IOMMU's driver if it is a module, then make the masters, then bind them */
static void c_boot(void)
{
	struct device_node *np;
	int r;

	shell("load", false);
	for_each_compatible_node(np, NULL, "oracle,master") {
		struct property *p = of_find_property(np, "status", NULL);

		p->value = "okay";
		p->length = sizeof("okay");
		of_platform_device_create(np, NULL, NULL);
	}
	r = platform_driver_register(&exerciser_driver);
	if (!r)
		r = platform_driver_register(&exerciser_managed_driver);
	if (r)
		pr_err("exerciser: the masters have no driver: %d\n", r);
	/* to go on without an IOMMU would compare nothing */
	for_each_compatible_node(np, NULL, "oracle,master") {
		struct platform_device *pdev = of_find_device_by_node(np);

		if (!pdev || !pdev->dev.driver || !pdev->dev.iommu_group == of_property_present(np, "iommus")) {
			pr_err("exerciser: %pOFn has no driver, or no IOMMU\n", np);
			stopped = true;
		}
		if (pdev)
			put_device(&pdev->dev);
	}
	out("0");
}

static const struct { const char *name; void (*fn)(void); } cmds[] = {
	{ "nop", c_nop }, { "begin", c_nop }, 	{ "sleep", c_sleep }, { "setmask", c_setmask }, { "dmask", c_dmask },
	{ "cmask", c_cmask }, { "segs", c_segs }, { "info", c_info }, { "ac", c_ac }, { "fc", c_fc },
	{ "acinfo", c_acinfo }, { "mp", c_mp }, { "ms", c_ms }, { "um", c_um }, { "mr", c_mr },
	{ "ur", c_ur }, { "sg", c_sg }, { "sgt", c_sgt }, { "usg", c_usg }, { "sgcpu", c_sgcpu },
	{ "sgdev", c_sgdev }, { "i2p", c_i2p }, { "i2ps", c_i2ps }, { "scpu", c_scpu },
	{ "sdev", c_sdev }, { "fill", c_fill }, { "sum", c_sum }, { "dfill", c_dfill },
	{ "dsum", c_dsum }, { "da", c_da }, { "db", c_db }, { "df", c_df }, { "dcur", c_dcur },
	{ "att", c_att }, { "det", c_det }, { "attg", c_attg }, { "detg", c_detg },
	{ "claimg", c_claimg }, { "relg", c_relg }, { "claimd", c_claimd }, { "reld", c_reld },
	{ "owned", c_owned }, { "map", c_map }, { "unmap", c_unmap }, { "ufast", c_ufast },
	{ "mapsg", c_mapsg }, { "dphys", c_dphys }, { "flushall", c_flushall }, { "pte", c_pte },
	{ "ptes", c_ptes }, { "gid", c_gid }, { "resv", c_resv }, { "capable", c_capable },
	{ "handler", c_handler }, { "rfault", c_rfault }, { "rset", c_rset }, { "rget", c_rget },
	{ "irq", c_irq }, { "gdevs", c_gdevs }, { "fwspec", c_fwspec }, { "ram", c_ram },
	{ "regs", c_regs }, { "walk", c_walk }, { "tables", c_tables }, { "hwreset", c_hwreset },
	{ "quirk", c_quirk }, { "poke", c_poke }, { "event", c_event }, { "sh", c_sh },
	{ "fresh", c_fresh }, { "manage", c_manage }, { "leave", c_leave }, { "enter", c_enter },
	{ "boot", c_boot }, { "suspend", c_suspend },
	{ "pmget", c_pm }, { "pmput", c_pm }, { "pmst", c_pm }, { "pmclear", c_pm },
	{ "iget", c_ipm }, { "iput", c_ipm }, { "ist", c_ipm }, { "iclear", c_ipm },
};

/* commands on a domain that there may not be */
static const char * const on_domain[] = {
	"df", "att", "det", "attg", "detg", "map", "unmap", "ufast", "mapsg", "dphys", "flushall", "handler", "rfault",
	"pte", "ptes",
};

static void run_line(char *l)
{
	char *w;
	int i;

	if (stopped || !*l || *l == '#')
		return;
	rest = strchr(l, ' ');
	rest = rest ? kstrdup(rest + 1, GFP_KERNEL) : NULL;
	ntok = 0;
	while ((w = strsep(&l, " \t")) != NULL)
		if (*w && ntok < NTOK)
			tok[ntok++] = w;
	if (!strcmp(tok[0], "begin")) {
		outlen = 0;
		lineno = 0;
		script = A(1);
		memset(doms, 0, sizeof(doms));	/* a new script knows no domains */
		kfree(rest);
		return;
	}
	pr_info("KIT-STEP %u.%u\n", script, ++lineno);
	out("%u\t", lineno);
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		if (!strcmp(cmds[i].name, tok[0])) {
			if (match_string(on_domain, ARRAY_SIZE(on_domain), tok[0]) >= 0 && !doms[A(1) % NDOM])
				out("\"no domain\"");
			else
				cmds[i].fn();
			break;
		}
	if (i == ARRAY_SIZE(cmds)) {
		pr_err("exerciser: unknown command %s\n", tok[0]);
		out("\"unknown command\"");
	}
	flush_workqueue(pm_wq);		/* a suspend that was put off belongs to the step */
	out("\t");
	player_take(out);
	out("\n");
	kfree(rest);
}

static ssize_t exerciser_write(struct file *f, const char __user *u, size_t n, loff_t *pos)
{
	char *b = vmalloc(n + 1);
	size_t i;

	if (!b)
		return -ENOMEM;
	if (copy_from_user(b, u, n)) {
		vfree(b);
		return -EFAULT;
	}
	mutex_lock(&lock);
	for (i = 0; i < n; i++) {
		if (b[i] == '\n') {
			line[linelen] = 0;
			linelen = 0;
			run_line(line);
		} else if (linelen < LINESZ - 1) {
			line[linelen++] = b[i];
		}
	}
	mutex_unlock(&lock);
	vfree(b);
	return n;
}

static ssize_t exerciser_read(struct file *f, char __user *u, size_t n, loff_t *pos)
{
	return simple_read_from_buffer(u, n, pos, outbuf, outlen);
}

static const struct proc_ops exerciser_ops = {
	.proc_read = exerciser_read,
	.proc_write = exerciser_write,
	.proc_lseek = default_llseek,
};

static int __init exerciser_init(void)
{
	int r;

	outbuf = vmalloc(OUTSZ);
	line = vmalloc(LINESZ);
	slots = vzalloc(sizeof(*slots) * NSLOT);
	if (!outbuf || !line || !slots)
		return -ENOMEM;
	r = player_init();
	if (r)
		return r;
	proc_create("exerciser", 0600, NULL, &exerciser_ops);
	return 0;
}
module_init(exerciser_init);
MODULE_DESCRIPTION("Command interpreter over the DMA and IOMMU interfaces");
MODULE_LICENSE("GPL");
