// SPDX-License-Identifier: GPL-2.0-only
// The domains that the commands keep, by number.
import type { iommu_domain } from '#linux/iommu.js';
import type { Session } from '../session.js';
import { num } from '../values.js';

/** dom[@x]. */
export function domainOf(s: Session, x: number | string | undefined): iommu_domain {
	return s.slot<iommu_domain>('X', num(x))!;
}
