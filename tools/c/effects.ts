// SPDX-License-Identifier: GPL-2.0-only
// Whether a function changes something.
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import { PURE } from '#tools/c/facts.js';
import type { Unit } from '#tools/c/unit.js';

/** Whether calling @name changes nothing. */
export function isPure(unit: Unit, name: string): boolean {
	const known = unit.pure.get(name);
	if (known !== undefined) return known;
	if (PURE.has(name)) return true;
	const d = unit.source.declared.get(name);
	if (d === undefined) return /^[A-Z][A-Z0-9_]*$/.test(name);
	unit.pure.set(name, true);
	const body = ts.isFunctionDeclaration(d) ? d.body : ts.isVariableDeclaration(d) ? d.initializer : undefined;
	const answer = body === undefined || changesNothing(unit, body);
	unit.pure.set(name, answer);
	return answer;
}

function changesNothing(unit: Unit, body: ts.Node): boolean {
	let ok = true;
	const visit = (n: ts.Node): void => {
		if (!ok) return;
		if (ts.isCallExpression(n)) {
			const name = unit.source.nameOf(n.expression);
			if (name === null || !isPure(unit, name)) ok = false;
		} else if (
			ts.isBinaryExpression(n) &&
			/^(?:[^=!<>]{0,3}=|\?\?=|<<=|>>=|>>>=)$/.test(n.operatorToken.getText(unit.source.ast))
		) {
			if (!ts.isIdentifier(strip(n.left))) ok = false;
		} else if (
			(ts.isPostfixUnaryExpression(n) || ts.isPrefixUnaryExpression(n)) &&
			n.operator !== ts.SyntaxKind.ExclamationToken
		) {
			const isStep =
				n.operator === ts.SyntaxKind.PlusPlusToken || n.operator === ts.SyntaxKind.MinusMinusToken;
			if (isStep && !ts.isIdentifier(strip(n.operand))) ok = false;
		}
		ts.forEachChild(n, visit);
	};
	visit(body);
	return ok;
}
