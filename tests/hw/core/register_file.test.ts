// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { fieldOf, RegisterFile } from '#hw/core/register-file.js';

const specs = () =>
	new RegisterFile([
		{
			name: 'CTRL',
			offset: 0x00,
			access: 'RW',
			reset: 0x5,
			mask: 0xff,
			doc: 'control',
			fields: [
				{ name: 'MODE', bits: [3, 2], values: { 1: 'fast' } },
				{ name: 'ON', bits: [0, 0] },
			],
		},
		{ name: 'STATUS', offset: 0x04, access: 'W1C', reset: 0xf, doc: 'status' },
		{ name: 'ID', offset: 0x08, access: 'RO', reset: 0xabcd, doc: 'version' },
		{ name: 'GO', offset: 0x0c, access: 'WO', doc: 'start' },
		{ name: 'GATE', offset: 0x40, access: 'RW', count: 3, stride: 8, doc: 'gates' },
	]);

describe('register_file', () => {
	it('begins with the reset values and returns to them', () => {
		const file = specs();
		expect(file.read(0x00)).to.equal(0x5);
		expect(file.read(0x08)).to.equal(0xabcd);
		file.write(0x00, 0xff);
		file.reset();
		expect(file.read(0x00)).to.equal(0x5);
	});

	it('ignores writes to read-only registers', () => {
		const file = specs();
		file.write(0x08, 0x1234);
		expect(file.read(0x08)).to.equal(0xabcd);
	});

	it('clears the bits that are written as one in a W1C register', () => {
		const file = specs();
		file.write(0x04, 0x5);
		expect(file.read(0x04)).to.equal(0xa);
	});

	it('reads write-only registers as zero and keeps their value for the model', () => {
		const file = specs();
		file.write(0x0c, 7);
		expect(file.read(0x0c)).to.equal(0);
		expect(file.get('GO')).to.equal(7);
	});

	it('drops bits that the mask does not have', () => {
		const file = specs();
		file.write(0x00, 0xffffffff);
		expect(file.read(0x00)).to.equal(0xff);
	});

	it('does not clear bits outside the mask of a W1C register', () => {
		const file = new RegisterFile([
			{ name: 'STATUS', offset: 0, access: 'W1C', reset: 0xff, mask: 0x0f, doc: '' },
		]);
		file.write(0, 0xff);
		expect(file.read(0)).to.equal(0xf0);
	});

	it('keeps values unsigned', () => {
		const file = specs();
		file.write(0x40, 0x80000001);
		expect(file.read(0x40)).to.equal(0x80000001);
	});

	it('reads as zero and tells the model where there is no register', () => {
		const file = specs();
		const holes: string[] = [];
		file.onHole = (offset, write) => holes.push(`${write ? 'W' : 'R'}${offset}`);
		file.write(0x44, 1);
		expect(file.read(0x44)).to.equal(0);
		expect(file.read(0x1000)).to.equal(0);
		expect(holes).to.deep.equal(['W68', 'R68', 'R4096']);
	});

	it('calls the hooks with name and index', () => {
		const file = specs();
		const seen: unknown[] = [];
		file.onWrite = (name, index, value, written) => seen.push([name, index, value, written]);
		file.onRead = (name) => (name === 'ID' ? 0x77 : undefined);
		file.write(0x50, 0x12);
		file.write(0x00, 0x1ff);
		expect(seen).to.deep.equal([
			['GATE', 2, 0x12, 0x12],
			['CTRL', 0, 0xff, 0x1ff],
		]);
		expect(file.read(0x08)).to.equal(0x77);
	});

	it('calls who waits for the next access, before it', () => {
		const file = specs();
		const seen: number[] = [];
		file.onAccess = () => seen.push(file.get('CTRL'));
		file.write(0x00, 0x11);
		file.read(0x00);
		file.onAccess = null;
		file.read(0x00);
		expect(seen).to.deep.equal([0x5, 0x11]);
	});

	it('picks bytes and halves out of a word, and writes only those', () => {
		const file = specs();
		file.set('GATE', 0x11223344, 0);
		expect(file.read(0x41, 1)).to.equal(0x33);
		expect(file.read(0x42, 2)).to.equal(0x1122);
		file.write(0x43, 0xaa, 1);
		expect(file.read(0x40)).to.equal(0xaa223344);
	});

	it('does not clear the other bytes of a W1C register with a byte write', () => {
		const file = specs();
		file.set('STATUS', 0x0f0f);
		file.write(0x04, 0xff, 1);
		expect(file.read(0x04)).to.equal(0x0f00);
	});

	it('names the register and every field in a trace line', () => {
		expect(specs().describe(0x00, 0x5)).to.equal('CTRL (0x000) = 0x5 [MODE=fast ON=0x1]');
		expect(specs().describe(0x48, 1)).to.equal('GATE[1] (0x048) = 0x1');
		expect(specs().describe(0x100, 1)).to.equal('0x100 = 0x1');
	});

	it('dumps in order of offset and documents each register', () => {
		expect(
			specs()
				.dump()
				.map((r) => r.name),
		).to.deep.equal(['CTRL', 'STATUS', 'ID', 'GO', 'GATE[0]', 'GATE[1]', 'GATE[2]']);
		expect(specs().docs()).to.contain('| 0x004 | STATUS | W1C | 0xf |');
	});

	it('refuses tables in which registers overlap, repeat or are not aligned', () => {
		const one = { access: 'RW', doc: '' } as const;
		expect(
			() =>
				new RegisterFile([
					{ ...one, name: 'A', offset: 0 },
					{ ...one, name: 'B', offset: 0 },
				]),
		).to.throw('overlap');
		expect(
			() =>
				new RegisterFile([
					{ ...one, name: 'A', offset: 0 },
					{ ...one, name: 'A', offset: 4 },
				]),
		).to.throw('twice');
		expect(() => new RegisterFile([{ ...one, name: 'A', offset: 2 }])).to.throw('aligned');
		expect(() => specs().get('NONE')).to.throw('no register NONE[0]');
	});

	it('takes fields of up to 32 bits', () => {
		expect(fieldOf(0xdeadbeef, [31, 0])).to.equal(0xdeadbeef);
		expect(fieldOf(0xdeadbeef, [31, 28])).to.equal(0xd);
	});
});
