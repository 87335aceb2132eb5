// SPDX-License-Identifier: GPL-2.0-only
// Drivers of several files in C: headers, prototypes, and what clients have that the IOMMU drivers do not.
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { c, linesOf, refused } from '#tests/tools/c/emitted.js';
import { emit, textOf } from '#tools/c/emit.js';
import { CLIENTS, Uses } from '#tools/c/files.js';
import { Project, Source } from '#tools/c/source.js';
import { PROJECT } from '#tools/project.js';

const body = (statements: string): string =>
	`export function f(dev: device, p: __iomem): void {\n${statements}\n}`;

describe('tools_c_clients', () => {
	const project = new Project(PROJECT);
	const uses = new Uses(PROJECT, (path, from) => project.fileOf(path, from));
	const cOf = (path: string): { text: string; header: string | null } => {
		const file = resolve(PROJECT, path);
		const { lines, header, refusals } = emit(
			project,
			project.open(file)!,
			uses.of(file),
			uses.ofDriver(file),
		);
		expect(refusals.map((r) => r.message)).to.deep.equal([]);
		return { text: textOf(lines), header: header === null ? null : textOf(header) };
	};
	const CEDRUS = 'drivers/staging/media/sunxi/cedrus';

	for (const path of CLIENTS)
		it(`${path} is in the subset`, () => {
			cOf(path);
		});

	it('a file whose twin is a header becomes one: guarded, its functions inline, without a licence for modules', () => {
		const { text, header } = cOf(join(CEDRUS, 'cedrus_types.ts'));
		expect(header).to.equal(null);
		expect(text).to.match(/^\/\* SPDX-License-Identifier: GPL-2\.0-only \*\/\n/);
		expect(text).to.match(/#ifndef _CEDRUS_H_\n#define _CEDRUS_H_\n/);
		expect(text).to.match(/\n#endif\n$/);
		expect(text).to.include('static inline void cedrus_write(struct cedrus_dev *dev, u32 reg, u32 val)\n');
		expect(text).not.to.include('MODULE_');
	});

	it('what other files of the driver use stands in a header of the file, and is not static', () => {
		const { text, header } = cOf(join(CEDRUS, 'cedrus_dec.ts'));
		expect(header)
			.to.include('#define _CEDRUS_DEC_H_\n')
			.and.to.include('\nvoid cedrus_device_run(void *priv);\n');
		expect(text).to.include('\nvoid cedrus_device_run(void *priv)\n{\n');
		expect(text).to.include('#include "cedrus.h"\n#include "cedrus_dec.h"\n#include "cedrus_hw.h"\n');
	});

	it('a table that others use is extern, and const as it is', () => {
		const { header } = cOf('drivers/gpu/drm/sun4i/sun4i_tcon.ts');
		expect(header).to.include('\nextern const struct of_device_id sun4i_tcon_of_table[];\n');
	});

	it('the file with the driver is the module', () => {
		const { text } = cOf(join(CEDRUS, 'cedrus.ts'));
		expect(text)
			.to.include('\nmodule_platform_driver(cedrus_driver);\n')
			.and.to.include('\nMODULE_LICENSE("GPL");\n');
	});

	it('names of a whole file have no prefix in C', () => {
		const source = new Source(
			'drivers/example.ts',
			"// SPDX-License-Identifier: GPL-2.0-only\nimport * as b from '#linux/bits.js';\nexport const A = b.BIT(3);\n",
			project,
		);
		expect(textOf(emit(project, source).lines)).to.include('#define A\tBIT(3)\n');
	});

	it('a struct of which only pointers are passed is announced where its name would be another one', () => {
		const text = c(
			'export interface ops {\n\treadonly run: (a: engine) => void;\n}\nexport class engine {\n\tops!: ops;\n}',
		);
		expect(text).to.match(/^struct engine;\n\nstruct ops \{\n\tvoid \(\*run\)\(struct engine \*a\);/);
	});

	it('a struct that knows what it lies in does not keep it in C', () => {
		const text = c(
			'export class engine implements embedded {\n\tid: int = 0;\n\treadonly container: object | null;\n' +
				'\tconstructor(container: object | null = null) {\n\t\tthis.container = container;\n\t}\n}',
		);
		expect(text).to.equal('struct engine {\n\tint id;\n};\n');
	});

	it('a loop over a table counts, and points to its structs', () => {
		const text = c(
			'interface e {\n\treadonly a: u32;\n}\nconst t: readonly e[] = [{ a: 1 }];\n' +
				body('for (const x of t) writel(x.a, p);'),
		);
		expect(text).to.include('for (i = 0; i < ARRAY_SIZE(t); i++) {\n\t\tconst struct e *x = &t[i];\n');
	});

	it('tables in tables keep their lengths', () => {
		expect(
			linesOf('const t: readonly (readonly u32[])[] = [[1, 2, 3], [4, 5, 6]];', /^.*u32|\{ /),
		).to.deep.equal(['static const u32 t[2][3] = {', '{ 1, 2, 3 },', '{ 4, 5, 6 },']);
	});

	it('an array of a function lies in it, all zeros or with its values', () => {
		expect(linesOf(body('const w = new Uint32Array(4);\nwritel(w[0], p);'), /\bw\b.*=/)).to.deep.equal([
			'u32 w[4] = {};',
		]);
		expect(linesOf(body('const w: u32[] = [1, 2];\nwritel(w[0], p);'), /\bw\b.*=/)).to.deep.equal([
			'u32 w[2] = { 1, 2 };',
		]);
	});

	it('a struct of a function cannot be kept', () => {
		const s = 'class s {\n\ta: u32 = 0;\n}\nclass k {\n\ts!: s;\n}\n';
		expect(c(`${s}${body('const x = new s();\nwritel(x.a, p);')}`)).to.include('\tstruct s x = {};\n');
		expect(refused(`${s}export function f(o: k): void {\n\tconst x = new s();\n\to.s = x;\n}`)).to.deep.equal(
			['8: x would outlive its function; use kzalloc()'],
		);
	});

	it('Object.assign() copies a struct to one of its type only', () => {
		const s = 'class s {\n\ta: u32 = 0;\n}\nclass t {\n\ta: u32 = 0;\n}\n';
		expect(
			linesOf(`${s}export function f(a: s, b: s): void {\n\tObject.assign(a, b);\n}`, /=/),
		).to.deep.equal(['*a = *b;']);
		expect(refused(`${s}export function f(a: s, b: t): void {\n\tObject.assign(a, b);\n}`)).to.deep.equal([
			'8: Object.assign() copies a struct to one of its own type',
		]);
	});

	it('what answers nothing in Linux has no value in C', () => {
		const file = resolve(PROJECT, 'drivers/gpu/drm/sun4i/sun4i_framebuffer.ts');
		expect(emit(project, project.open(file)!).refusals.map((r) => r.sentence)).to.deep.equal([
			'what returns nothing has no value',
		]);
	});

	it('an enumeration of Linux is one in C, whatever it is here', () => {
		const { text } = cOf('drivers/gpu/drm/sun4i/sun8i_dw_hdmi.ts');
		expect(text).to.match(/static enum drm_mode_status\s+dw_hdmi_connector_mode_valid\(/);
	});

	it('a hexadecimal number with an e in it is that number', () => {
		expect(linesOf('export const A = 0xe4;', /A/)).to.deep.equal(['#define A\t0xe4']);
	});

	it('what is void * in C has no members before it has a variable', () => {
		const text =
			'class s {\n\ta: u32 = 0;\n}\nexport function f(data: unknown): u32 {\n\treturn (data as s).a;\n}';
		expect(refused(text)).to.deep.equal(['5: this is void * in C; give it a variable of its type']);
	});
});
