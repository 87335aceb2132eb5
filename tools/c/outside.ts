// SPDX-License-Identifier: GPL-2.0-only
// What no construct of C is, by kind.
import ts from 'typescript-ast';

const OUTSIDE: Readonly<Partial<Record<ts.SyntaxKind, string>>> = {
	[ts.SyntaxKind.TemplateExpression]:
		'a template literal is outside the kernel subset; use the printk formats',
	[ts.SyntaxKind.NoSubstitutionTemplateLiteral]:
		'a template literal is outside the kernel subset; use a string',
	[ts.SyntaxKind.ArrowFunction]: 'a function inside a function is outside the kernel subset',
	[ts.SyntaxKind.FunctionExpression]: 'a function inside a function is outside the kernel subset',
	[ts.SyntaxKind.NewExpression]: '"new" is outside the kernel subset; use kzalloc()',
	[ts.SyntaxKind.ArrayLiteralExpression]:
		'an array literal is outside the kernel subset, but for tables outside functions',
	[ts.SyntaxKind.ObjectLiteralExpression]:
		'an object literal is outside the kernel subset, but for tables outside functions',
	[ts.SyntaxKind.TypeOfExpression]: '"typeof" is outside the kernel subset; C does not know types as it runs',
	[ts.SyntaxKind.AwaitExpression]: '"await" is outside the kernel subset',
	[ts.SyntaxKind.YieldExpression]: '"yield" is outside the kernel subset',
	[ts.SyntaxKind.DeleteExpression]: '"delete" is outside the kernel subset',
	[ts.SyntaxKind.VoidExpression]: '"void" before an expression is outside the kernel subset',
	[ts.SyntaxKind.ThrowStatement]: '"throw" is outside the kernel subset; return an errno',
	[ts.SyntaxKind.TryStatement]: '"try" is outside the kernel subset; return an errno',
	[ts.SyntaxKind.FunctionDeclaration]: 'a function inside a function is outside the kernel subset',
	[ts.SyntaxKind.ForInStatement]: '"for … in" is outside the kernel subset',
	[ts.SyntaxKind.ThisKeyword]: '"this" is outside the kernel subset',
	[ts.SyntaxKind.RegularExpressionLiteral]: 'a regular expression is outside the kernel subset',
	[ts.SyntaxKind.BigIntLiteral]: 'a bigint is outside the kernel subset',
	[ts.SyntaxKind.SpreadElement]: '"..." is outside the kernel subset',
	[ts.SyntaxKind.CommaToken]: 'a comma between expressions is outside the kernel subset',
};

export const outside = (node: ts.Node): string =>
	OUTSIDE[node.kind] ?? `a ${ts.SyntaxKind[node.kind]} is outside the kernel subset`;
