// SPDX-License-Identifier: GPL-2.0-only
// Cut one scatterlist into several.
// Linux 6.12: lib/sg_split.c

import { sg_nents, sg_next } from '#lib/scatterlist.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { kfree_sg, kmalloc_sg, type scatterlist, sg_assign, sg_at, sg_mark_end } from '#linux/scatterlist.js';
import { kcalloc, kfree } from '#linux/slab.js';
import type { bool, gfp_t, int, loff_t, size_t, unsigned_int } from '#linux/types.js';

/** One output list: where in the input it begins, and how it ends. */
class sg_splitter {
	in_sg0: scatterlist | null = null;
	nents: int = 0;
	skip_sg0: loff_t = 0;
	length_last_sg: unsigned_int = 0;
	/** Of the last list: its entries that have bytes in them when it ends inside one, and the length of the last. */
	full_nents: int = 0;
	full_length: unsigned_int = 0;
	out_sg: scatterlist | null = null;
	/** Entries there are in @out_sg. */
	room: int = 0;
}

/** Find each output's first entry, its count, and the length of its last. */
function sg_calculate_split(
	in_sg: scatterlist,
	nents: int,
	nb_splits: int,
	skip: loff_t,
	sizes: size_t[],
	splitters: sg_splitter[],
	mapped: bool,
): int {
	for (let i = 0; i < nb_splits; i++) {
		splitters[i].in_sg0 = null;
		splitters[i].nents = 0;
	}

	let split: int = 0;
	let size = sizes[0];
	let off: size_t = skip;
	// The last list ended inside an entry. The walk goes on all the same, and what follows is listed with no bytes.
	let past_end = false;
	let sg: scatterlist | null = in_sg;
	for (let n = 0; n < nents && sg !== null; n++, sg = sg_next(sg)) {
		const sglen = mapped ? sg.dma_length : sg.length;
		// An entry that is skipped to its very end still opens the first list, with nothing in it.
		if (off > sglen) {
			off -= sglen;
			continue;
		}

		for (;;) {
			const curr = splitters[split];
			const len = Math.min(size, sglen - off);
			if (curr.in_sg0 === null) {
				curr.in_sg0 = sg;
				curr.skip_sg0 = off;
			}
			curr.nents++;
			curr.length_last_sg = len;
			size -= len;
			off += len;
			if (size !== 0) break;

			const last = split === nb_splits - 1;
			if (last && off >= sglen && !past_end) return 0;
			if (last) {
				if (!past_end) {
					curr.full_nents = curr.nents;
					curr.full_length = len;
				}
				past_end = true;
				break;
			}
			size = sizes[++split];
			if (off >= sglen) break;
		}
		off = 0;
	}

	return size !== 0 || splitters[0].in_sg0 === null ? -EINVAL : 0;
}

/** Fill the outputs' pages; their DMA fields are empty. */
function sg_split_phys(splitters: sg_splitter[], nb_splits: int): void {
	for (let i = 0; i < nb_splits; i++) {
		const split = splitters[i];
		const out = split.out_sg as scatterlist;
		let from = split.in_sg0;
		for (let j = 0; j < split.nents && from !== null; j++, from = sg_next(from)) {
			const to = sg_at(out, j);
			sg_assign(to, from);
			if (j === 0) {
				to.offset += split.skip_sg0;
				to.length -= split.skip_sg0;
			}
			to.dma_address = 0;
			to.dma_length = 0;
		}
		const last = sg_at(out, split.nents - 1);
		last.length = split.length_last_sg;
		sg_mark_end(last);
	}
}

/** Fill the outputs' DMA fields. */
function sg_split_mapped(splitters: sg_splitter[], nb_splits: int): void {
	for (let i = 0; i < nb_splits; i++) {
		const split = splitters[i];
		const out = split.out_sg as scatterlist;
		let from = split.in_sg0;
		for (let j = 0; j < split.nents && from !== null; j++, from = sg_next(from)) {
			const to = sg_at(out, j);
			to.dma_address = from.dma_address;
			to.dma_length = from.dma_length;
			if (j === 0) {
				to.dma_address += split.skip_sg0;
				to.dma_length -= split.skip_sg0;
			}
		}
		sg_at(out, split.nents - 1).dma_length = split.length_last_sg;
	}
}

/** The steps of a split; what was allocated is the caller's to free when it fails. */
function sg_split_into(
	splitters: sg_splitter[],
	in_sg: scatterlist,
	in_mapped_nents: int,
	skip: loff_t,
	nb_splits: int,
	sizes: size_t[],
	gfp_mask: gfp_t,
): int {
	let ret = sg_calculate_split(in_sg, sg_nents(in_sg), nb_splits, skip, sizes, splitters, false);
	if (ret < 0) return ret;
	for (let i = 0; i < nb_splits; i++) {
		const split = splitters[i];
		split.out_sg = kmalloc_sg(split.nents, gfp_mask);
		if (split.out_sg === null) return -ENOMEM;
		split.room = split.nents;
	}
	sg_split_phys(splitters, nb_splits);
	if (in_mapped_nents === 0) return 0;

	// This overwrites the first calculation, which nobody needs any more.
	ret = sg_calculate_split(in_sg, in_mapped_nents, nb_splits, skip, sizes, splitters, true);
	if (ret < 0) return ret;
	// DEVIATION: where mapping has joined the entry in which the last list ends with the next, 6.12 goes on writing
	// behind the list's own entries.
	const last = splitters[nb_splits - 1];
	if (last.nents > last.room) {
		last.nents = last.full_nents;
		last.length_last_sg = last.full_length;
	}
	sg_split_mapped(splitters, nb_splits);
	return 0;
}

/**
 * Cut @in_sg into @nb_splits lists of @split_sizes bytes, @skip bytes in.
 * @in_mapped_nents: what mapping @in_sg answered, 0 when it is not mapped
 * @out: takes the lists; each is freed with kfree_sg()
 * @out_mapped_nents: takes their mapped counts, or null
 *
 * Return: 0, -EINVAL when the list is too short, -ENOMEM. Linux: lib/sg_split.c: sg_split()
 */
export function sg_split(
	in_sg: scatterlist,
	in_mapped_nents: int,
	skip: loff_t,
	nb_splits: int,
	split_sizes: size_t[],
	out: (scatterlist | null)[],
	out_mapped_nents: int[] | null,
	gfp_mask: gfp_t,
): int {
	const splitters = kcalloc(nb_splits, sg_splitter, gfp_mask);
	if (splitters === null) return -ENOMEM;

	const ret = sg_split_into(splitters, in_sg, in_mapped_nents, skip, nb_splits, split_sizes, gfp_mask);
	for (let i = 0; i < nb_splits; i++) {
		const split = splitters[i];
		if (ret < 0) {
			kfree_sg(split.out_sg);
			continue;
		}
		out[i] = split.out_sg;
		if (out_mapped_nents !== null) out_mapped_nents[i] = split.nents;
	}
	kfree(splitters);
	return ret;
}
