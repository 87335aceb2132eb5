// SPDX-License-Identifier: GPL-2.0-only
// A user's mapping of a video buffer holds the buffer.
// Linux 6.12: drivers/media/common/videobuf2/videobuf2-memops.c
// Left out: frame vectors, which only USERPTR needs.
import { vb2_vmarea_handler } from '#include/media/videobuf2-memops.js';
import type { vm_area_struct, vm_operations_struct } from '#linux/mm_types.js';
import { pr_debug } from '#linux/printk.js';
import { refcount_inc, refcount_read } from '#linux/refcount.js';

function vb2_common_vm_open(vma: vm_area_struct): void {
	const h = vma.vm_private_data;
	if (!(h instanceof vb2_vmarea_handler)) return;

	pr_debug(
		'%s: %p, refcount: %d, vma: %08lx-%08lx',
		'vb2_common_vm_open',
		h,
		refcount_read(h.refcount!),
		vma.vm_start,
		vma.vm_end,
	);
	refcount_inc(h.refcount!);
}

function vb2_common_vm_close(vma: vm_area_struct): void {
	const h = vma.vm_private_data;
	if (!(h instanceof vb2_vmarea_handler)) return;

	pr_debug(
		'%s: %p, refcount: %d, vma: %08lx-%08lx',
		'vb2_common_vm_close',
		h,
		refcount_read(h.refcount!),
		vma.vm_start,
		vma.vm_end,
	);
	h.put!(h.arg!);
}

/** Each user of the mapping counts as a user of the buffer. */
export const vb2_common_vm_ops: vm_operations_struct = {
	open: vb2_common_vm_open,
	close: vb2_common_vm_close,
};
