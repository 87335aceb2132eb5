// SPDX-License-Identifier: GPL-2.0-only
// Constants of the flattened device tree library.
// Linux 6.12: include/linux/libfdt.h, scripts/dtc/libfdt/fdt.h, scripts/dtc/libfdt/libfdt.h

export const FDT_MAGIC = 0xd00dfeed;
export const FDT_BEGIN_NODE = 0x1;
export const FDT_END_NODE = 0x2;
export const FDT_PROP = 0x3;
export const FDT_NOP = 0x4;
export const FDT_END = 0x9;
export const FDT_TAGSIZE = 4;
export const FDT_FIRST_SUPPORTED_VERSION = 0x02;
export const FDT_LAST_SUPPORTED_VERSION = 0x11;

// Byte offsets in the header.
export const FDT_HDR_TOTALSIZE = 4;
export const FDT_HDR_OFF_DT_STRUCT = 8;
export const FDT_HDR_OFF_DT_STRINGS = 12;
export const FDT_HDR_OFF_MEM_RSVMAP = 16;
export const FDT_HDR_VERSION = 20;
export const FDT_HDR_LAST_COMP_VERSION = 24;
export const FDT_HDR_SIZE_DT_STRINGS = 32;
export const FDT_HDR_SIZE_DT_STRUCT = 36;
export const FDT_V16_SIZE = 36;
export const FDT_V17_SIZE = 40;

export const FDT_ERR_NOTFOUND = 1;
export const FDT_ERR_BADOFFSET = 4;
export const FDT_ERR_BADPATH = 5;
export const FDT_ERR_TRUNCATED = 8;
export const FDT_ERR_BADMAGIC = 9;
export const FDT_ERR_BADVERSION = 10;
export const FDT_ERR_BADSTRUCTURE = 11;
