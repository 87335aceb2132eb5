// SPDX-License-Identifier: GPL-2.0-only
// The file of a Perfetto trace: its messages, and their numbers.
//
// https://github.com/google/perfetto, protos/perfetto/trace: trace.proto, trace_packet.proto, and in track_event/
// track_event.proto, track_descriptor.proto, counter_descriptor.proto, process_descriptor.proto, debug_annotation.proto.

import type { Step } from '#watch/recorder.js';
import { Message } from './protobuf.js';

/** Trace */
const PACKET = 1;
/** TracePacket */
const TIMESTAMP = 8;
const TRUSTED_PACKET_SEQUENCE_ID = 10;
const TRACK_EVENT = 11;
const TRACK_DESCRIPTOR = 60;
/** TrackDescriptor */
const UUID = 1;
const TRACK_NAME = 2;
const PROCESS = 3;
const PARENT_UUID = 5;
const COUNTER_DESCRIPTOR = 8;
/** ProcessDescriptor */
const PID = 1;
const PROCESS_NAME = 6;
/** CounterDescriptor */
const UNIT = 3;
export const UNIT_COUNT = 2;
export const UNIT_BYTES = 3;
/** TrackEvent */
const DEBUG_ANNOTATIONS = 4;
const TYPE = 9;
const TRACK_UUID = 11;
const CATEGORIES = 22;
const EVENT_NAME = 23;
const COUNTER_VALUE = 30;
const FLOW_IDS = 47;
/** TrackEvent.Type */
export const SLICE_BEGIN = 1;
export const SLICE_END = 2;
export const INSTANT = 3;
export const COUNTER = 4;
/** DebugAnnotation */
const UINT_VALUE = 3;
const STRING_VALUE = 6;
const POINTER_VALUE = 7;
const ANNOTATION_NAME = 10;

/** All packets are of one writer. */
const SEQUENCE = 1;

export interface EventDetails {
	readonly name?: string;
	/** Its kind is the category; what else it says is annotated. */
	readonly step?: Step;
	/** The flow that it is part of; null: none. */
	readonly flow?: number | null;
	/** A counter's. */
	readonly value?: number;
}

export class PerfettoFile {
	readonly #trace = new Message();
	#uuid = 0;

	get bytes(): Uint8Array {
		return this.#trace.bytes;
	}

	/** A group of tracks: what Perfetto shows as a process. The track that others name as their parent. */
	process(pid: number, name: string): number {
		const process = new Message().varint(PID, pid).string(PROCESS_NAME, name);
		return this.#describe(name, (track) => track.message(PROCESS, process));
	}

	track(name: string, parent: number): number {
		return this.#describe(name, (track) => track.varint(PARENT_UUID, parent));
	}

	counter(name: string, parent: number, unit: number): number {
		const counter = new Message().varint(UNIT, unit);
		return this.#describe(name, (track) =>
			track.varint(PARENT_UUID, parent).message(COUNTER_DESCRIPTOR, counter),
		);
	}

	#describe(name: string, more: (track: Message) => void): number {
		const uuid = ++this.#uuid;
		const track = new Message().varint(UUID, uuid).string(TRACK_NAME, name);
		more(track);
		this.#packet(new Message().message(TRACK_DESCRIPTOR, track));
		return uuid;
	}

	/** Something at @time, in ns, on @track. */
	event(time: number, type: number, track: number, { name, step, flow, value }: EventDetails = {}): void {
		const event = new Message().varint(TYPE, type).varint(TRACK_UUID, track);
		if (name !== undefined) event.string(EVENT_NAME, name);
		if (value !== undefined) event.varint(COUNTER_VALUE, value);
		if (flow != null) event.fixed64(FLOW_IDS, flow);
		if (step !== undefined) {
			event.string(CATEGORIES, step.kind);
			const annotate = (what: string, field: number, number: number): Message =>
				event.message(DEBUG_ANNOTATIONS, new Message().string(ANNOTATION_NAME, what).varint(field, number));
			annotate('step', UINT_VALUE, step.number);
			if (step.addr >= 0) annotate('addr', POINTER_VALUE, step.addr);
			if (step.size >= 0) annotate('size', UINT_VALUE, step.size);
			const text = new Message().string(ANNOTATION_NAME, 'text').string(STRING_VALUE, step.text);
			event.message(DEBUG_ANNOTATIONS, text);
		}
		this.#packet(new Message().varint(TIMESTAMP, time).message(TRACK_EVENT, event));
	}

	#packet(packet: Message): void {
		this.#trace.message(PACKET, packet.varint(TRUSTED_PACKET_SEQUENCE_ID, SEQUENCE));
	}
}
