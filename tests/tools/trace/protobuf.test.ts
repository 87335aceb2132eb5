// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import protobuf from 'protobufjs';
import { Message } from '#tools/trace/protobuf.js';

describe('tools_trace_protobuf', () => {
	const READ = protobuf
		.parse(
			'syntax = "proto2"; message M { repeated uint64 v = 1; repeated fixed64 f = 300; repeated string s = 3; repeated M m = 4; }',
		)
		.root.lookupType('M');
	const read = (message: Message): object => READ.toObject(READ.decode(message.bytes), { longs: Number });
	const EDGES = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];

	it('writes whole numbers up to 2^53 that somebody else reads', () => {
		const message = new Message();
		for (const edge of EDGES) message.varint(1, edge).fixed64(300, edge);
		expect(read(message)).to.deep.equal({ v: EDGES, f: EDGES });
	});

	it('writes text, and messages in messages, of any length', () => {
		const texts = ['', 'ä 0x00800000 -> …', 'x'.repeat(1000)];
		const inner = new Message();
		for (const text of texts) inner.string(3, text);
		expect(read(new Message().message(4, inner).message(4, new Message()))).to.deep.equal({
			m: [{ s: texts }, {}],
		});
	});
});
