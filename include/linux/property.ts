// SPDX-License-Identifier: GPL-2.0-only
// Properties of a device, whatever firmware (or software node) they come from.
// Linux 6.12: include/linux/property.h
//
// Left out: software nodes beyond the properties' description, connections, graphs beyond fwnode.ts.
import type { int, u64 } from '#linux/types.js';

export enum dev_prop_type {
	DEV_PROP_U8,
	DEV_PROP_U16,
	DEV_PROP_U32,
	DEV_PROP_U64,
	DEV_PROP_STRING,
	DEV_PROP_REF,
}
export const { DEV_PROP_U8, DEV_PROP_U16, DEV_PROP_U32, DEV_PROP_U64, DEV_PROP_STRING, DEV_PROP_REF } =
	dev_prop_type;

/** A built-in property; no value means a flag. */
export interface property_entry {
	readonly name: string;
	readonly type: dev_prop_type;
	readonly value: readonly (u64 | string)[];
}

/** A property of one number (include/linux/property.h: PROPERTY_ENTRY_U32()). */
export function PROPERTY_ENTRY_U32(name: string, val: int): property_entry {
	return { name, type: DEV_PROP_U32, value: [val] };
}

/** A property of one string (include/linux/property.h: PROPERTY_ENTRY_STRING()). */
export function PROPERTY_ENTRY_STRING(name: string, val: string): property_entry {
	return { name, type: DEV_PROP_STRING, value: [val] };
}

/** A property that is there (include/linux/property.h: PROPERTY_ENTRY_BOOL()). */
export function PROPERTY_ENTRY_BOOL(name: string): property_entry {
	return { name, type: DEV_PROP_U8, value: [] };
}
