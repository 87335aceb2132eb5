// SPDX-License-Identifier: GPL-2.0-only
// Every kind of golden boards; the first that knows a boot has it.
import type { HardwareKind } from './hardware.js';
import { rockchip } from './rockchip.js';
import { sun50i } from './sun50i.js';

export const KINDS: readonly HardwareKind[] = [rockchip, sun50i];
