// SPDX-License-Identifier: GPL-2.0-only
// What a rule says when it is broken.

/** The names of Documentation/INVARIANTS.md. */
export type Invariant =
	| 'INV-TLB-UNMAP'
	| 'INV-TLB-MAP'
	| 'INV-PTW'
	| 'INV-CLEAN'
	| 'INV-TABLE-LIVE'
	| 'INV-OWN'
	| 'INV-LIVE-MAP'
	| 'INV-PERM'
	| 'INV-FAULT'
	| 'INV-PWR'
	| 'INV-REFS'
	| 'INV-LEAK'
	| 'INV-RANGE'
	| 'INV-PAIR'
	| 'INV-IOVA'
	| 'INV-BOUNCE'
	| 'INV-ERR';

/** Where rules put what they find. */
export interface Report {
	/**
	 * @kind: a word for what happened; @device: whose; @place: of two findings of a kind with the same place, the
	 * second is counted, not shown.
	 */
	add(invariant: Invariant, kind: string, device: string, place: string, details: readonly string[]): void;
}
