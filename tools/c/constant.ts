// SPDX-License-Identifier: GPL-2.0-only
// The number that an expression of constants is.
import ts from 'typescript-ast';
import type { Source } from '#tools/c/source.js';

const ones = (n: bigint): bigint => (1n << n) - 1n;

const FUNCTIONS: Readonly<Record<string, (...args: bigint[]) => bigint>> = {
	BIT: (n) => 1n << n!,
	GENMASK: (h, l) => ones(h! + 1n) & ~ones(l!),
	DMA_BIT_MASK: (n) => ones(n!),
	FIELD_PREP: (mask, v) => (v! * (mask! & -mask!)) & mask!,
};

/** What @node is in @source, if only constants are in it; else null. */
export function constantOf(node: ts.Expression, source: Source): bigint | null {
	if (ts.isNumericLiteral(node)) {
		const n = Number(node.text);
		return Number.isInteger(n) ? BigInt(node.text) : null;
	}
	if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node))
		return constantOf(node.expression, source);
	const name = source.nameOf(node);
	if (name !== null) {
		const found = source.find(name);
		if (found === null || !ts.isVariableDeclaration(found.node) || found.node.initializer === undefined)
			return null;
		const list = found.node.parent;
		if (!ts.isVariableDeclarationList(list) || (list.flags & ts.NodeFlags.Const) === 0) return null;
		return constantOf(found.node.initializer, found.source);
	}
	if (ts.isPrefixUnaryExpression(node)) {
		const v = constantOf(node.operand, source);
		return v !== null && node.operator === ts.SyntaxKind.MinusToken ? -v : null;
	}
	if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
		const f = Object.hasOwn(FUNCTIONS, node.expression.text) ? FUNCTIONS[node.expression.text] : undefined;
		const args = node.arguments.map((a) => constantOf(a, source));
		return f === undefined || args.includes(null) ? null : f(...(args as bigint[]));
	}
	if (ts.isBinaryExpression(node)) {
		const a = constantOf(node.left, source);
		const b = constantOf(node.right, source);
		return a === null || b === null ? null : binary(node.operatorToken.getText(source.ast), a, b);
	}
	return null;
}

function binary(operator: string, a: bigint, b: bigint): bigint | null {
	switch (operator) {
		case '+':
			return a + b;
		case '-':
			return a - b;
		case '*':
			return a * b;
		case '**':
			return a ** b;
		case '/':
			return b !== 0n && a % b === 0n ? a / b : null;
		case '|':
			return a | b;
		case '&':
			return a & b;
		case '^':
			return a ^ b;
		case '<<':
			return a << b;
		case '>>>':
			return a >> b;
	}
	return null;
}
