// SPDX-License-Identifier: GPL-2.0-only
// The monitor at the end of the cable: shows the last raster it was sent.

import type { MachineServices } from '#hw/core/model.js';

/** One picture: 8-bit R, G, B after each other, rows from the top. */
export interface Raster {
	readonly width: number;
	readonly height: number;
	readonly rgb: Uint8Array;
}

/** Makes the pictures: a mixer. */
export interface RasterSource {
	/** Fetch what the next picture needs from memory, as of now. */
	fetch(): void;
	/** The picture last fetched; null when there is none. */
	compose(): Raster | null;
}

/**
 * Joins the display blocks of one machine, which the tree only ties by a graph of ports: the mixer makes the
 * picture, the timing controller says when, the monitor takes it. The colours of a frame are worked out when
 * somebody looks, its memory is read when it is due.
 */
export class Monitor {
	/** Pictures sent since power-on. */
	frames = 0;
	source: RasterSource | null = null;
	/** Somebody says when the next picture is due. */
	running = false;

	/** A picture's time has come. */
	refresh(): void {
		if (this.source === null) return;
		this.source.fetch();
		this.frames++;
	}

	/** What the monitor shows now; null when it was sent nothing. */
	capture(): Raster | null {
		return this.frames === 0 || this.source === null ? null : this.source.compose();
	}
}

const monitors = new WeakMap<MachineServices, Monitor>();

/** The monitor of @machine. */
export function monitorOf(machine: MachineServices): Monitor {
	let monitor = monitors.get(machine);
	if (monitor === undefined) {
		monitor = new Monitor();
		monitors.set(machine, monitor);
	}
	return monitor;
}
