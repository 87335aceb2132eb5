// SPDX-License-Identifier: GPL-2.0-only
// /sys/kernel/debug/iommu, for drivers that show their insides.
// Linux 6.12: drivers/iommu/iommu-debugfs.c
import { debugfs_create_dir } from '#fs/debugfs/inode.js';
import type { dentry } from '#linux/debugfs.js';
import type { err_ptr } from '#linux/err.js';
import { boot_data } from '#linux/init.js';
import { pr_warn } from '#linux/printk.js';

/** Where a driver puts its own directory. */
export const iommu_debugfs = boot_data(() => ({ iommu_debugfs_dir: null as dentry | err_ptr | null }));

const WARNING = [
	'',
	'*************************************************************',
	'**     NOTICE NOTICE NOTICE NOTICE NOTICE NOTICE NOTICE    **',
	'**                                                         **',
	'**  IOMMU DebugFS SUPPORT HAS BEEN ENABLED IN THIS KERNEL  **',
	'**                                                         **',
	'** This means that this kernel is built to expose internal **',
	'** IOMMU data structures, which may compromise security on **',
	'** your system.                                            **',
	'**                                                         **',
	'** If you see this message and you are not debugging the   **',
	'** kernel, report this immediately to your vendor!         **',
	'**                                                         **',
	'**     NOTICE NOTICE NOTICE NOTICE NOTICE NOTICE NOTICE    **',
	'*************************************************************',
];

/** Make the directory, and say loudly that there is one (Linux: drivers/iommu/iommu-debugfs.c: iommu_debugfs_setup()). */
export function iommu_debugfs_setup(): void {
	if (iommu_debugfs.iommu_debugfs_dir !== null) return;

	iommu_debugfs.iommu_debugfs_dir = debugfs_create_dir('iommu', null);
	for (const line of WARNING) pr_warn(line);
}
