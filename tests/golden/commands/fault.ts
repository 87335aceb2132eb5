// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU's registers as memory, and its interrupt line.
import { num, word } from '../values.js';
import type { Command } from './index.js';

export const faultCommands: Record<string, Command> = {
	rset: (s, [off, val]) => {
		s.window!.write(num(off), 4, num(val));
		return 0;
	},
	rget: (s, [off]) => word(s.window!.read(num(off), 4)),
	irq: (s) => {
		s.raiseIrq();
		s.sleep(20);
		return 0;
	},
};
