// SPDX-License-Identifier: GPL-2.0-only
/* Plays steps of scatterlists: a command a line, its answer a line. */
#include "steps.h"
#include <linux/scatterlist.h>

#define MOST 4096

/* An argument "page[+offset]:length,..." as entries. */
struct entry {
	phys_addr_t phys;
	unsigned int offset, length;
};

static struct entry entries[MOST];
static unsigned int count;

static struct page *pages[1 << 20];

static void say_error(int ret)
{
	if (ret == -EINVAL)
		printf("\"-EINVAL\"");
	else if (ret == -ENOMEM)
		printf("\"-ENOMEM\"");
	else
		printf("%d", ret);
}

/* Each of at most @n entries from @sg on, as [page, offset, length]. */
static void say_list(struct scatterlist *sg, unsigned int n)
{
	const char *comma = "";

	printf("[");
	for (; sg && n > 0; sg = sg_next(sg), n--) {
		printf("%s[\"0x%llx\",%u,%u]", comma,
		       (unsigned long long)page_to_phys(sg_page(sg)),
		       sg->offset, sg->length);
		comma = ",";
	}
	printf("]");
}

/* How many entries lie next to each other, again and again. */
static void say_runs(struct scatterlist *sg)
{
	unsigned int run = 0;
	const char *comma = "";

	printf("\"runs\":[");
	while (sg) {
		struct scatterlist *next = sg_next(sg);

		run++;
		if (next != sg + 1) {
			printf("%s%u", comma, run);
			comma = ",";
			run = 0;
		}
		sg = next;
	}
	printf("]");
}

/* "pfn[*count],..." */
static unsigned int read_pages(const char *text)
{
	unsigned int n = 0;

	while (*text) {
		char *end;
		unsigned long pfn = strtoul(text, &end, 0);
		unsigned long times = *end == '*' ? strtoul(end + 1, &end, 0) : 1;

		while (times--)
			pages[n++] = pfn_to_page(pfn++);
		text = *end == ',' ? end + 1 : end;
	}
	return n;
}

/* A table over the memory that the next argument names. */
static void read_table(struct sg_table *table)
{
	const char *text = word();
	struct scatterlist *sg;
	unsigned int i;

	count = 0;
	while (text && *text) {
		struct entry *e = &entries[count++];
		char *end;

		e->phys = strtoul(text, &end, 0);
		e->offset = e->phys % PAGE_SIZE;
		if (*end == '+') {
			e->offset = strtoul(end + 1, &end, 0);
			e->phys += e->offset;
		}
		e->length = strtoul(end + 1, &end, 0);
		text = *end == ',' ? end + 1 : end;
	}
	sg_alloc_table(table, count, GFP_KERNEL);
	for_each_sg(table->sgl, sg, count, i) {
		const struct entry *e = &entries[i];

		sg_set_page(sg, pfn_to_page((e->phys - e->offset) / PAGE_SIZE),
			    e->length, e->offset);
	}
}

static void from_pages(void)
{
	unsigned int max = number();
	unsigned int offset = number();
	unsigned long size = number();
	unsigned int n = read_pages(word());
	struct sg_table t = { 0 };
	int ret;

	ret = sg_alloc_table_from_pages_segment(&t, pages, n, offset, size, max,
						GFP_KERNEL);
	if (ret < 0) {
		say_error(ret);
		return;
	}
	printf("{\"orig_nents\":%u,\"nents\":%u,\"list\":", t.orig_nents, t.nents);
	say_list(t.sgl, UINT_MAX);
	printf("}");
	sg_free_table(&t);
}

static void append(void)
{
	unsigned int max = number();
	char *text = strdup(word());
	struct sg_append_table table = { 0 };
	const char *comma = "";
	char *rest;

	printf("[");
	for (char *part = strtok_r(text, ";", &rest); part;
	     part = strtok_r(NULL, ";", &rest)) {
		unsigned int left = strtoul(part, &part, 0);
		unsigned int offset = strtoul(part + 1, &part, 0);
		unsigned long size = strtoul(part + 1, &part, 0);
		unsigned int n = read_pages(part + 1);
		int ret;

		ret = sg_alloc_append_table_from_pages(&table, pages, n, offset,
						       size, max, left,
						       GFP_KERNEL);
		printf("%s{\"ret\":", comma);
		say_error(ret);
		printf(",\"orig_nents\":%u,\"nents\":%u,\"list\":",
		       table.sgt.orig_nents, table.sgt.nents);
		say_list(table.sgt.sgl, table.sgt.orig_nents);
		printf("}");
		comma = ",";
	}
	printf("]");
	sg_free_append_table(&table);
	free(text);
}

static void say_table(int ret, const struct sg_table *t)
{
	printf("{\"ret\":");
	say_error(ret);
	printf(",\"nents\":%u,\"orig_nents\":%u,\"sg_nents\":%d,", t->nents,
	       t->orig_nents, sg_nents(t->sgl));
	say_runs(t->sgl);
}

static void table(void)
{
	struct sg_table t = { 0 };
	int ret;

	ret = sg_alloc_table(&t, number(), GFP_KERNEL);
	say_table(ret, &t);
	printf("}");
	sg_free_table(&t);
}

static void chained(void)
{
	int n = number();
	unsigned int first = number();
	struct scatterlist *own = NULL;
	struct sg_table t = { 0 };
	int ret;

	if (first)
		own = kmalloc_array(first, sizeof(*own), GFP_KERNEL);
	t.sgl = own;
	ret = sg_alloc_table_chained(&t, n, own, first);
	say_table(ret, &t);
	printf(",\"first_is_callers\":%d}", own && t.sgl == own);
	sg_free_table_chained(&t, first);
	free(own);
}

static void split(void)
{
	unsigned long skip = number();
	const char *text = word();
	struct sg_table t;
	size_t sizes[64];
	struct scatterlist *outs[64] = { NULL };
	int n = 0;
	int ret;

	while (*text) {
		char *end;

		sizes[n++] = strtoul(text, &end, 0);
		text = *end == ',' ? end + 1 : end;
	}
	read_table(&t);
	ret = sg_split(t.sgl, 0, skip, n, sizes, outs, NULL, GFP_KERNEL);
	printf("{\"ret\":");
	say_error(ret);
	if (!ret) {
		printf(",\"out\":[");
		for (int i = 0; i < n; i++) {
			printf("%s{\"nents\":%d,\"list\":", i ? "," : "",
			       sg_nents(outs[i]));
			say_list(outs[i], UINT_MAX);
			printf("}");
		}
		printf("]");
	}
	printf("}");
	for (int i = 0; i < n; i++)
		kfree(outs[i]);
	sg_free_table(&t);
}

static void lengths(void)
{
	unsigned long len = number();
	struct sg_table t;

	read_table(&t);
	printf("{\"sg_nents\":%d,\"for_len\":", sg_nents(t.sgl));
	say_error(sg_nents_for_len(t.sgl, len));
	printf(",\"last\":");
	say_list(sg_last(t.sgl, count), UINT_MAX);
	printf("}");
	sg_free_table(&t);
}

static u8 pattern(unsigned int seed, unsigned int i)
{
	return seed + 3 * i + 5 * (i >> 8);
}

static u32 fnv(u32 hash, const u8 *bytes, size_t n)
{
	while (n--)
		hash = (hash ^ *bytes++) * 0x01000193;
	return hash;
}

#define FNV 0x811c9dc5

static void copy(void)
{
	unsigned int op = number();
	unsigned long skip = number();
	unsigned long len = number();
	unsigned int seed = number();
	u8 *buffer = calloc(1, len + 1);
	u32 hash = FNV;
	struct sg_table t;
	size_t ret;

	read_table(&t);
	for (unsigned int i = 0; i < count; i++) {
		u8 *bytes = phys_to_virt(entries[i].phys);

		for (unsigned int j = 0; j < entries[i].length; j++)
			bytes[j] = pattern(seed + 17 * i, j);
	}
	for (unsigned long j = 0; op && j < len; j++)
		buffer[j] = pattern(seed ^ 0x5a, j);
	if (op == 2)
		ret = sg_zero_buffer(t.sgl, count, len, skip);
	else if (op == 0)
		ret = sg_pcopy_to_buffer(t.sgl, count, buffer, len, skip);
	else
		ret = sg_pcopy_from_buffer(t.sgl, count, buffer, len, skip);
	for (unsigned int i = 0; i < count; i++)
		hash = fnv(hash, phys_to_virt(entries[i].phys), entries[i].length);
	printf("{\"ret\":%zu,\"buffer_fnv\":\"0x%08x\",\"list_fnv\":\"0x%08x\"}",
	       ret, fnv(FNV, buffer, len), hash);
	sg_free_table(&t);
	free(buffer);
}

static void map_pieces(void)
{
	unsigned long skip = number();
	struct sg_mapping_iter miter = { 0 };
	const char *comma = "";
	struct sg_table t;
	bool ok;

	read_table(&t);
	sg_miter_start(&miter, t.sgl, count, SG_MITER_FROM_SG);
	ok = sg_miter_skip(&miter, skip);
	printf("{\"skip\":%d,\"steps\":[", ok);
	while (ok && sg_miter_next(&miter)) {
		printf("%s[\"0x%llx\",%llu,%zu]", comma,
		       (unsigned long long)page_to_phys(miter.page),
		       (unsigned long long)virt_to_phys(miter.addr) % PAGE_SIZE,
		       miter.length);
		comma = ",";
	}
	printf("]}");
	sg_miter_stop(&miter);
	sg_free_table(&t);
}

static void each_page(void)
{
	unsigned long first = number();
	struct sg_page_iter iter = { 0 };
	const char *comma = "";
	struct sg_table t;

	read_table(&t);
	printf("[");
	__sg_page_iter_start(&iter, t.sgl, count, first);
	while (__sg_page_iter_next(&iter)) {
		printf("%s\"0x%llx\"", comma,
		       (unsigned long long)page_to_phys(sg_page_iter_page(&iter)));
		comma = ",";
	}
	printf("]");
	sg_free_table(&t);
}

static const struct {
	const char *name;
	void (*play)(void);
} commands[] = {
	{ "sgfp", from_pages },
	{ "sgapp", append },
	{ "sgtab", table },
	{ "sgchain", chained },
	{ "sgsplit", split },
	{ "sgnfl", lengths },
	{ "sgcopy", copy },
	{ "sgmiter", map_pieces },
	{ "sgpages", each_page },
};

bool play(const char *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, command)) {
			commands[i].play();
			return true;
		}
	return false;
}

void prepare(void)
{
}
