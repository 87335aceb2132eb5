// SPDX-License-Identifier: GPL-2.0-only
// for … of: over lists, over the nodes of a device tree, over tables.
import ts from 'typescript-ast';
import { Body } from '#tools/c/body.js';
import { strip, structOf } from '#tools/c/build.js';
import { type CType, pointerTo, UNSIGNED_INT } from '#tools/c/ctype.js';
import { controlled } from '#tools/c/flow.js';
import { listMember } from '#tools/c/intrinsics.js';
import { align, type Doc, join, space } from '#tools/c/layout.js';
import { loopVariable } from '#tools/c/loop.js';
import { Scope } from '#tools/c/scope.js';
import type { Source } from '#tools/c/source.js';
import type { Statements } from '#tools/c/statement.js';
import { namedType } from '#tools/c/types.js';

const LISTS = /^list_for_each_entry(_safe|_reverse|_rcu)?$/;
const CHILDREN = /^for_each_(available_)?child_of_node$/;
/** A loop of Linux's: what C's macro takes, and what the loop's variable is. */
interface LoopMacro {
	readonly type: (source: Source) => CType;
	readonly args: (name: string, args: readonly Doc[]) => readonly Doc[];
	/** A variable that C's macro counts in. */
	readonly counter?: string;
}

const cpus: LoopMacro = { type: () => UNSIGNED_INT, args: (name) => [name] };
const entriesOf: LoopMacro = {
	type: (source) => pointerTo(namedType('scatterlist', source, source.ast)),
	args: (name, [table]) => [table!, name, 'i'],
	counter: 'i',
};

const LOOP_MACROS: Readonly<Record<string, LoopMacro>> = {
	for_each_possible_cpu: cpus,
	for_each_online_cpu: cpus,
	for_each_present_cpu: cpus,
	for_each_sg: { ...entriesOf, args: (name, [sgl, nents]) => [sgl!, name, nents!, 'i'] },
	for_each_sgtable_sg: entriesOf,
	for_each_sgtable_dma_sg: entriesOf,
};

const OTHERS = '"for … of" takes a table, or list_for_each_entry() and its kin; C has no iterators';

export function each(st: Statements, s: ts.ForOfStatement, indent: number, from: number): void {
	const of = strip(s.expression);
	const list = s.initializer;
	const d = ts.isVariableDeclarationList(list) ? list.declarations[0] : undefined;
	if (d === undefined || !ts.isIdentifier(d.name)) {
		st.refuse(s, 'a loop over a list, or a table, has one variable');
		return;
	}
	const name = d.name.text;
	const scope = st.e.scope;
	st.e.scope = new Scope(scope);
	if (!ts.isCallExpression(of)) overTable(st, s, of, d, name, indent, from);
	else {
		const macro = ts.isIdentifier(of.expression) ? of.expression.text : '';
		const known = Object.hasOwn(LOOP_MACROS, macro) ? LOOP_MACROS[macro] : undefined;
		if (known !== undefined) macroLoop(st, s, d, of, known, indent, from);
		else if (LISTS.test(macro)) overList(st, s, macro, of, d, name, indent, from);
		else if (CHILDREN.test(macro)) overChildren(st, s, macro, of, d, name, indent, from);
		else st.refuse(s, OTHERS);
	}
	st.e.scope = scope;
}

/** `for (const x of for_each_…(a, b))`. */
function macroLoop(
	st: Statements,
	s: ts.ForOfStatement,
	d: ts.VariableDeclaration,
	call: ts.CallExpression,
	macro: LoopMacro,
	indent: number,
	from: number,
): void {
	const of = call.expression.getText(st.unit.source.ast);
	const name = d.name.getText(st.unit.source.ast);
	const args = st.e.args(call, call.arguments, []).map((v) => v.doc);
	st.unit.use(of);
	const scope = st.e.scope;
	st.e.scope = new Scope(scope);
	loopVariable(st, d, name, macro.type(st.unit.source));
	if (macro.counter !== undefined) loopVariable(st, d, macro.counter, UNSIGNED_INT);
	controlled(
		st,
		[of, '(', align(join(macro.args(name, args), [',', space])), ')'],
		s.statement,
		indent,
		from,
	);
	st.e.scope = scope;
}

/** `for (const x of list_for_each_entry(head))`. */
function overList(
	st: Statements,
	s: ts.ForOfStatement,
	macro: string,
	of: ts.CallExpression,
	d: ts.Node,
	name: string,
	indent: number,
	from: number,
): void {
	if (!macro.endsWith('_safe')) staysLinked(st, s.statement, name);
	const head = st.e.operand(of.arguments[0]!);
	const entry = structOf(head.type)?.entry;
	if (entry === undefined) {
		st.refuse(s, 'what is in this list? Its head needs a type: list_head<…>');
		return;
	}
	const member = listMember(st.e, s, entry);
	st.unit.use(macro);
	loopVariable(st, d, name, pointerTo(entry));
	const docs: Doc[] = [name];
	if (macro.endsWith('_safe')) {
		loopVariable(st, d, 'next', pointerTo(entry));
		docs.push('next');
	}
	docs.push(st.e.pointer(head, null).doc, member);
	controlled(st, [macro, '(', align(join(docs, [',', space])), ')'], s.statement, indent, from);
}

/** `for (const x of for_each_child_of_node(parent))`: who leaves it early has to put x, in both languages. */
function overChildren(
	st: Statements,
	s: ts.ForOfStatement,
	macro: string,
	of: ts.CallExpression,
	d: ts.Node,
	name: string,
	indent: number,
	from: number,
): void {
	const [parent] = st.e.args(of, of.arguments, []);
	st.unit.use(macro);
	const type = pointerTo(namedType('device_node', st.unit.source, s));
	loopVariable(st, d, name, type);
	const head = [macro, '(', align([parent!.doc, ',', space, name]), ')'];
	controlled(st, head, s.statement, indent, from);
}

/** `for (const x of table)`: C knows how long it is. */
function overTable(
	st: Statements,
	s: ts.ForOfStatement,
	of: ts.Expression,
	d: ts.Node,
	name: string,
	indent: number,
	from: number,
): void {
	const table = st.e.operand(of);
	if (table.type.kind !== 'array') {
		st.refuse(s, OTHERS);
		return;
	}
	st.unit.header('linux/array_size.h');
	const isFree = (n: string): boolean =>
		st.e.scope.find(n) === null && st.body.locals.every((l) => l.name !== n || l.type === UNSIGNED_INT);
	const index = ['i', 'j', 'k'].find(isFree) ?? 'n';
	loopVariable(st, d, index, UNSIGNED_INT);
	const { of: element } = table.type;
	const isStruct = element.kind === 'struct';
	const type = isStruct
		? pointerTo(element, true)
		: element.kind === 'array'
			? pointerTo(element.of, true)
			: element;
	const outer = st.body;
	st.body = new Body();
	const first: Doc = [isStruct ? '&' : '', table.doc, `[${index}]`];
	st.declare(d, name, type, first);
	st.statements(ts.isBlock(s.statement) ? s.statement.statements : [s.statement], indent + 1);
	const inner = st.finished(indent + 1);
	st.body = outer;
	const { lines } = st.body;
	lines.doc([`for (${index} = 0; ${index} < ARRAY_SIZE(`, table.doc, `); ${index}++) {`], indent, from);
	lines.append(inner);
	lines.text([`${'\t'.repeat(indent)}}`], st.unit.source.ast.getLineAndCharacterOfPosition(s.end).line + 1);
}

/** Refuse what takes @name, the loop's variable, out of its list, unless the loop ends there: C goes on from it. */
function staysLinked(st: Statements, body: ts.Statement, name: string): void {
	const visit = (n: ts.Node): void => {
		if (
			ts.isCallExpression(n) &&
			/^(?:kfree|list_(?:del|move)\w*)$/.test(n.expression.getText(st.unit.source.ast))
		) {
			const isIt = new RegExp(`^${name}\\b`).test(n.arguments[0]?.getText(st.unit.source.ast) ?? '');
			if (isIt && !endsLoop(n))
				st.refuse(n, 'C goes on from what is no longer in the list; use list_for_each_entry_safe()');
		}
		ts.forEachChild(n, visit);
	};
	visit(body);
}

/** Whether the block that @node is in leaves the loop at its end. */
function endsLoop(node: ts.Node): boolean {
	let block: ts.Node = node;
	while (!ts.isBlock(block)) block = block.parent;
	const last = block.statements[block.statements.length - 1];
	return last !== undefined && (ts.isReturnStatement(last) || ts.isBreakStatement(last));
}
