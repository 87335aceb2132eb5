// SPDX-License-Identifier: GPL-2.0-only
// Stands where a block would: reads as zero, and writes every access down.

import type { DeviceModel, ModelFactory } from '#hw/core/model.js';

export class LoggingHole implements DeviceModel {
	/** `W050=4e000000` and `R080`: offset in three digits, value as it was written, both in hex. */
	log: string[] = [];

	constructor(
		readonly name: string,
		/** Put before each entry: `rst:`. */
		readonly prefix = '',
		/** Another hole's log, when the order between blocks matters. */
		shared?: string[],
	) {
		if (shared !== undefined) this.log = shared;
	}

	read(offset: number): number {
		this.log.push(`${this.prefix}R${offset.toString(16).padStart(3, '0')}`);
		return 0;
	}

	write(offset: number, _width: number, value: number): void {
		this.log.push(`${this.prefix}W${offset.toString(16).padStart(3, '0')}=${value.toString(16)}`);
	}
}

/** For `overrides`: a hole in place of a block; all that are given the same @log write to it, in order. */
export function loggingHole(log: string[], prefix = ''): ModelFactory {
	return (ctx) => new LoggingHole(ctx.name, prefix, log);
}
