// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of an IOMMU, where the machine has none: each access to such an address ends in an external abort,
 * which the kernel hands to do_sea(). A probe there writes the access down, answers it as the hardware would, and
 * has the interrupted code go on behind it. The driver that runs, built in or a module, is none the wiser.
 */
#include <linux/device.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/esr.h>
#include "player.h"

#define NWIN 8
#define NREG 0x400
#define LOGSZ (8u << 20)
#define RAM_END 0x80000000ULL

struct window;

/* How a kind of hardware answers. */
struct kind {
	const char *name;
	void (*reset)(struct window *w);
	u32 (*read)(struct window *w, u32 offset);
	void (*write)(struct window *w, u32 offset, u32 value);
	/* the root of what it reads tables from, for a stream; 0: nothing */
	u64 (*root)(struct window *w, u32 stream);
	/* tables: where an address' bits are, when a word of the second level counts, and the first level's pages */
	unsigned int l1_shift, l2_bits;
	u32 l2_valid;
	u64 (*table)(u32 word);
	u32 l1_page;
	u64 table_regs;		/* a bit for each register that holds a table's address */
};

struct window {
	const char *name;
	struct device_node *np;
	phys_addr_t base;
	resource_size_t size;
	const struct kind *kind;
	u32 regs[NREG];		/* as they are read */
	u32 written[NREG];	/* as they were written last */
	u32 quirks;
};

static struct window windows[NWIN];
static unsigned int nwindows;
static bool ram;
static char *log;
static size_t loglen;

void player_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (loglen)
		loglen += scnprintf(log + loglen, LOGSZ - loglen, " ");
	loglen += vscnprintf(log + loglen, LOGSZ - loglen, fmt, ap);
	va_end(ap);
}

void player_take(player_out out)
{
	size_t at;

	if (loglen + 1 >= LOGSZ)
		pr_err("exerciser: the log of a step is full\n");
	/* a precision has 16 bits */
	for (at = 0; at < loglen; at += SZ_16K)
		out("%.*s", (int)min_t(size_t, loglen - at, SZ_16K), log + at);
	loglen = 0;
}

static u32 *in_ram(u64 phys)
{
	return phys && phys < RAM_END ? phys_to_virt(phys) : NULL;
}

static u32 *reg(struct window *w, u32 offset) { return &w->regs[(offset / 4) % NREG]; }

/* --- registers that say nothing: what a script put there, or 0; as memory after "ram 1" */
static void deaf_reset(struct window *w) { memset(w->regs, 0, sizeof(w->regs)); }
static u32 deaf_read(struct window *w, u32 offset) { return *reg(w, offset); }
static void deaf_write(struct window *w, u32 offset, u32 value)
{
	if (ram)
		*reg(w, offset) = value;
}
static u64 deaf_root(struct window *w, u32 stream) { return w->written[0x50 / 4]; }
static u64 deaf_table(u32 word) { return (word & 3) == 1 ? word & ~0x3ffu : 0; }

/* --- one MMU of a Rockchip IOMMU */
#define RK_DTE_ADDR	0x00
#define RK_STATUS	0x04
#define RK_COMMAND	0x08
#define RK_FAULT_ADDR	0x0c
#define RK_ZAP		0x10
#define RK_RAWSTAT	0x14
#define RK_CLEAR	0x18
#define RK_MASK		0x1c
#define RK_INTSTAT	0x20
#define RK_GATING	0x24
/* a script's bits for what never happens */
#define RK_NO_RESET	BIT(0)
#define RK_NO_DIRECTORY	BIT(1)
#define RK_NO_STALL	BIT(2)
#define RK_NO_UNSTALL	BIT(3)
#define RK_NO_ENABLE	BIT(4)
#define RK_NO_DISABLE	BIT(5)

static void rk_clear(struct window *w)
{
	*reg(w, RK_DTE_ADDR) = 0;
	*reg(w, RK_FAULT_ADDR) = 0;
	*reg(w, RK_RAWSTAT) = 0;
	*reg(w, RK_MASK) = 0;
	*reg(w, RK_GATING) = 1;
}
static void rk_reset(struct window *w)
{
	rk_clear(w);
	*reg(w, RK_STATUS) = 0x80000018;
}
static u32 rk_read(struct window *w, u32 offset)
{
	return offset == RK_INTSTAT ? *reg(w, RK_RAWSTAT) & *reg(w, RK_MASK) : *reg(w, offset);
}
static void rk_command(struct window *w, u32 command)
{
	u32 *status = reg(w, RK_STATUS);

	switch (command) {
	case 0:
		if (!(w->quirks & RK_NO_ENABLE))
			*status |= BIT(0);
		break;
	case 1:
		if (!(w->quirks & RK_NO_DISABLE))
			*status &= ~BIT(0);
		break;
	case 2:
		if ((*status & 3) == 1 && !(w->quirks & RK_NO_STALL))
			*status = (*status | BIT(2)) & ~BIT(31);
		break;
	case 3:
		if (!(w->quirks & RK_NO_UNSTALL))
			*status = (*status & ~BIT(2)) | BIT(31);
		break;
	case 5:
		*status &= ~BIT(1);
		break;
	case 6:
		if (!(w->quirks & RK_NO_RESET))
			rk_clear(w);
		break;
	}
}
static void rk_write(struct window *w, u32 offset, u32 value)
{
	switch (offset) {
	case RK_DTE_ADDR:
		if (w->quirks & RK_NO_DIRECTORY)
			break;
		fallthrough;
	case RK_MASK:
	case RK_GATING:
		*reg(w, offset) = value;
		break;
	case RK_COMMAND:
		rk_command(w, value);
		break;
	case RK_CLEAR:
		*reg(w, RK_RAWSTAT) &= ~value;
		break;
	}
}
static u64 rk_table(u32 word) { return word & 1 ? word & 0xfffff000 : 0; }
static u64 rk_root(struct window *w, u32 stream)
{
	return *reg(w, RK_STATUS) & 1 ? *reg(w, RK_DTE_ADDR) & 0xfffff000 : 0;
}

/* --- the teaching IOMMU (Documentation/edu-iommu.md): it takes each command as soon as PROD says that it is there */
#define EDU_ID		0x00
#define EDU_CTRL	0x04
#define EDU_STATUS	0x08
#define EDU_STAB_BASE	0x10
#define EDU_CMDQ_BASE	0x20
#define EDU_EVTQ_BASE	0x30
#define EDU_SIZE	0x04	/* from a queue's base on */
#define EDU_PROD	0x08
#define EDU_CONS	0x0c
#define EDU_INT_STATUS	0x40
#define EDU_INT_ENABLE	0x44
#define EDU_EVENT	BIT(0)
#define EDU_OVERFLOW	BIT(1)
#define EDU_COMMAND	BIT(2)
#define EDU_STREAMS	64
/* a script's bits for what never happens */
#define EDU_NO_COMMAND	BIT(0)
#define EDU_NO_STATUS	BIT(1)

static u64 edu_frame(struct window *w, u32 offset) { return (u64)*reg(w, offset) << 12; }
static u32 *edu_stream(struct window *w, u32 stream)
{
	u32 *table = in_ram(edu_frame(w, EDU_STAB_BASE));

	return table && stream < EDU_STREAMS ? table + 2 * stream : NULL;
}
/* the record of queue @q at the position in register @at */
static u32 *edu_record(struct window *w, u32 q, u32 at)
{
	u32 *ring = in_ram(edu_frame(w, q));

	return ring ? ring + 4 * (*reg(w, at) & (BIT(*reg(w, q + EDU_SIZE)) - 1)) : NULL;
}
static void edu_advance(struct window *w, u32 q, u32 at)
{
	*reg(w, at) = (*reg(w, at) + 1) & (2 * BIT(*reg(w, q + EDU_SIZE)) - 1);
}
static void edu_commands(struct window *w)
{
	const u32 q = EDU_CMDQ_BASE;

	while (*reg(w, q + EDU_CONS) != *reg(w, q + EDU_PROD) && !(*reg(w, EDU_INT_STATUS) & EDU_COMMAND) &&
	       !(w->quirks & EDU_NO_COMMAND)) {
		u32 *c = edu_record(w, q, q + EDU_CONS), *s;

		if (!c)
			return;
		player_note("cmd:%x,%x,%x,%x", c[0], c[1], c[2], c[3]);
		s = c[0] == 1 ? edu_stream(w, c[1]) : NULL;
		if (s)
			player_note("stream:%x,%x", s[0], s[1]);
		if ((c[0] & 0xff) < 1 || (c[0] & 0xff) > 4) {
			*reg(w, EDU_INT_STATUS) |= EDU_COMMAND;
			return;
		}
		edu_advance(w, q, q + EDU_CONS);
	}
}
static void edu_reset(struct window *w)
{
	memset(w->regs, 0, sizeof(w->regs));
	*reg(w, EDU_ID) = 1 | 6 << 8 | 4 << 16;
}
static u32 edu_read(struct window *w, u32 offset) { return *reg(w, offset); }
static void edu_write(struct window *w, u32 offset, u32 value)
{
	bool refused;

	switch (offset) {
	case EDU_CTRL:
		*reg(w, offset) = value & 1;
		if (!(w->quirks & EDU_NO_STATUS))
			*reg(w, EDU_STATUS) = value & 1;
		break;
	case EDU_CMDQ_BASE + EDU_SIZE:
	case EDU_EVTQ_BASE + EDU_SIZE:
		*reg(w, offset) = value & 0xf;
		*reg(w, offset - EDU_SIZE + EDU_PROD) = 0;
		*reg(w, offset - EDU_SIZE + EDU_CONS) = 0;
		break;
	case EDU_CMDQ_BASE + EDU_PROD:
		*reg(w, offset) = value & 0x1ff;
		edu_commands(w);
		break;
	case EDU_EVTQ_BASE + EDU_CONS:
		*reg(w, offset) = value & 0x1ff;
		break;
	case EDU_INT_STATUS:
		refused = *reg(w, offset) & value & EDU_COMMAND;
		*reg(w, offset) &= ~value;
		if (refused) {		/* what was refused is skipped */
			edu_advance(w, EDU_CMDQ_BASE, EDU_CMDQ_BASE + EDU_CONS);
			edu_commands(w);
		}
		break;
	case EDU_INT_ENABLE:
		*reg(w, offset) = value & 7;
		break;
	case EDU_STAB_BASE:
	case EDU_CMDQ_BASE:
	case EDU_EVTQ_BASE:
		*reg(w, offset) = value & 0xfffffff;
		break;
	}
}
static u64 edu_root(struct window *w, u32 stream)
{
	u32 *s = edu_stream(w, stream);

	return s && (s[0] & 7) == 5 ? (u64)s[1] << 12 : 0;
}
static u64 edu_table(u32 word) { return (word & 9) == 1 ? (u64)(word >> 4) << 12 : 0; }

static const struct kind kinds[] = {
	{ "deaf", deaf_reset, deaf_read, deaf_write, deaf_root, 20, 8, 2, deaf_table, 0,
	  BIT(0x50 / 4) },
	{ "rockchip", rk_reset, rk_read, rk_write, rk_root, 22, 10, 1, rk_table, 0,
	  BIT(RK_DTE_ADDR / 4) },
	{ "edu", edu_reset, edu_read, edu_write, edu_root, 22, 10, 1, edu_table, 9,
	  BIT(EDU_STAB_BASE / 4) | BIT(EDU_CMDQ_BASE / 4) | BIT(EDU_EVTQ_BASE / 4) },
};

/* --- what scripts ask */
static struct window *window(unsigned int i) { return &windows[i % NWIN]; }

struct device_node *player_node(unsigned int i)
{
	unsigned int n;

	for (n = 0; n < nwindows; n++)
		if ((!n || windows[n].np != windows[n - 1].np) && !i--)
			return windows[n].np;
	return NULL;
}

void player_set(unsigned int i, u32 offset, u32 value) { *reg(window(i), offset) = value; }
u32 player_get(unsigned int i, u32 offset)
{
	struct window *w = window(i);

	return w->kind->read(w, offset);
}
void player_ram(bool on)
{
	struct window *w;

	ram = on;
	for (w = windows; w < windows + nwindows && !on; w++)
		w->kind->reset(w);
}
void player_reset(unsigned int i)
{
	struct window *w = window(i);

	w->quirks = 0;
	w->kind->reset(w);
}
void player_quirk(unsigned int i, u32 bits) { window(i)->quirks = bits; }

int player_event(u32 stream, u32 addr, bool write, u32 reason)
{
	struct window *w = window(0);
	const u32 q = EDU_EVTQ_BASE;
	u32 *e = edu_record(w, q, q + EDU_PROD), *s = edu_stream(w, stream);

	if (!e || (*reg(w, q + EDU_PROD) ^ *reg(w, q + EDU_CONS)) == BIT(*reg(w, q + EDU_SIZE))) {
		*reg(w, EDU_INT_STATUS) |= EDU_OVERFLOW;
		return -ENOSPC;
	}
	e[0] = reason | (write ? BIT(8) : 0);
	e[1] = stream;
	e[2] = addr;
	e[3] = s ? (s[0] >> 8) & 0xf : 0;
	edu_advance(w, q, q + EDU_PROD);
	*reg(w, EDU_INT_STATUS) |= EDU_EVENT;
	return 0;
}

void player_show(unsigned int i, player_out out)
{
	struct window *w = window(i);
	const char *comma = "";
	u32 offset;

	out("{");
	for (offset = 0; offset < 0x48; offset += 4) {
		u32 value = w->kind->read(w, offset);

		if (!value)
			continue;
		out("%s\"%02x\":\"", comma, offset);
		comma = ",";
		if ((w->kind->table_regs & BIT(offset / 4)) && value != 0xcafeb000)
			out("T\"");
		else
			out("%x\"", value);
	}
	out("}");
}

/* the two words for @iova, the first without the address in it */
static bool walk(struct window *w, u64 root, u32 iova, u32 *l1, u32 *l2)
{
	const struct kind *k = w->kind;
	u32 *table = in_ram(root);

	*l1 = *l2 = 0;
	if (!table)
		return false;
	*l1 = table[iova >> k->l1_shift];
	table = in_ram(k->table(*l1));
	if (!table)
		return k->l1_page && (*l1 & k->l1_page) == k->l1_page;
	*l2 = table[(iova >> 12) & (BIT(k->l2_bits) - 1)];
	return *l2 & k->l2_valid;
}

/* a window's, or for the teaching IOMMU a stream's */
static struct window *tables_of(unsigned int i)
{
	return !strcmp(windows[0].kind->name, "edu") ? &windows[0] : window(i);
}

void player_walk(unsigned int i, u32 iova, player_out out)
{
	struct window *w = tables_of(i);
	u64 root = w->kind->root(w, i);
	u32 l1, l2;

	if (!root) {
		out("\"off\"");
		return;
	}
	walk(w, root, iova, &l1, &l2);
	out("{\"l1\":\"%x\",\"l2\":\"%x\"}", w->kind->table(l1) ? l1 & 0xf : l1, l2);
}

static u32 fnv(u32 h, u32 word)
{
	int i;

	for (i = 0; i < 4; i++, word >>= 8)
		h = (h ^ (word & 0xff)) * 16777619u;
	return h;
}

void player_tables(unsigned int i, player_out out)
{
	struct window *w = tables_of(i);
	const struct kind *k = w->kind;
	u64 root = k->root(w, i), iova = 0;
	u32 l1, l2, h = 2166136261u, tables = 0, pages = 0;

	if (!root) {
		out("\"off\"");
		return;
	}
	while (iova <= U32_MAX) {
		bool page = walk(w, root, iova, &l1, &l2);

		if (!(iova & (BIT(k->l1_shift) - 1)) && k->table(l1))
			tables++;
		if (page) {
			pages++;
			h = fnv(fnv(h, iova), k->table(l1) ? l2 : l1);
		}
		iova += k->table(l1) ? 0x1000 : BIT(k->l1_shift);
	}
	out("{\"tables\":%u,\"pages\":%u,\"fnv\":\"0x%08x\"}", tables, pages, h);
}

/* --- the trap */
static bool access(u64 phys, bool write, u32 *value)
{
	struct window *w;

	for (w = windows; w < windows + nwindows; w++) {
		u32 offset = phys - w->base;

		if (phys < w->base || phys >= w->base + w->size)
			continue;
		if (write) {
			player_note("%sW%02x=%x", w->name, offset, *value);
			w->written[(offset / 4) % NREG] = *value;
			w->kind->write(w, offset, *value);
		} else {
			*value = w->kind->read(w, offset);
			player_note("%sR%02x=%x", w->name, offset, *value);
		}
		return true;
	}
	return false;
}

static int trapped(struct kprobe *p, struct pt_regs *regs)
{
	unsigned long far = regs->regs[0], esr = regs->regs[1], par;
	struct pt_regs *there = (struct pt_regs *)regs->regs[2];
	u32 insn, rt, value;

	if (user_mode(there))
		return 0;
	asm volatile("at s1e1r, %1\n isb\n mrs %0, par_el1" : "=r" (par) : "r" (far));
	if (par & 1)
		return 0;
	insn = le32_to_cpu(*(__le32 *)instruction_pointer(there));
	rt = insn & 31;
	value = rt == 31 ? 0 : there->regs[rt];
	if (!access((par & GENMASK(47, 12)) | (far & 0xfff), esr & ESR_ELx_WNR, &value))
		return 0;
	if (!(esr & ESR_ELx_WNR) && rt != 31)
		there->regs[rt] = value;
	instruction_pointer_set(there, instruction_pointer(there) + 4);
	/* do_sea() returns at once, with 0 */
	regs->regs[0] = 0;
	instruction_pointer_set(regs, regs->regs[30]);
	return 1;
}

static struct kprobe probe = { .symbol_name = "do_sea", .pre_handler = trapped };

int player_init(void)
{
	struct device_node *np;

	log = vmalloc(LOGSZ);
	if (!log)
		return -ENOMEM;
	for_each_node_with_property(np, "test,windows") {
		const char *kind = NULL;
		struct resource res;
		int i, k;

		of_property_read_string(np, "test,kind", &kind);
		for (i = 0; !of_address_to_resource(np, i, &res) && nwindows < NWIN; i++) {
			struct window *w = &windows[nwindows++];

			of_property_read_string_index(np, "test,windows", i, &w->name);
			w->np = np;
			w->base = res.start;
			w->size = resource_size(&res);
			for (k = 0; k < ARRAY_SIZE(kinds); k++)
				if (kind && !strcmp(kinds[k].name, kind))
					w->kind = &kinds[k];
			if (!w->kind)
				return -EINVAL;
			w->kind->reset(w);
		}
	}
	return register_kprobe(&probe);
}
