// SPDX-License-Identifier: GPL-2.0-only
// Every command that the vectors know on any board; a board's own come before these (hardware.ts).
import type { Session } from '../session.js';
import type { Extra, Json } from '../vectors.js';
import { dmaCommands } from './dma.js';
import { iommuCommands } from './iommu.js';
import { iovaCommands } from './iova.js';
import { poolCommands } from './pool.js';
import { scatterlistCommands } from './scatterlist.js';

export type Args = (number | string)[];
/** Make the call; @extra takes what the step did besides answering. */
export type Command = (session: Session, args: Args, extra: Extra) => Json;

export const commands: Record<string, Command> = {
	...dmaCommands,
	...iommuCommands,
	...iovaCommands,
	...poolCommands,
	...scatterlistCommands,
	sleep: (s, [ms]) => {
		s.sleep(Number(ms));
		return 0;
	},
};
