import { html, type Html } from '../html.ts';
import type { AnsweredQuestion } from './ask-samples.ts';
import { CASE_COLOURS, casePicture, type PictureReader, shelvesOf } from './case-picture.ts';
import {
  COMPARISON_NOTE,
  type EvaluationReport,
  percent,
  type ReportTable,
  reportTables,
} from './evaluation-report.ts';
import { iouOf } from './overlap.ts';
import { reportPage } from './report-page.ts';

/** The report as one HTML page without external files, with pictures of typical answers. */
export async function evaluationPage(
  report: EvaluationReport,
  answered: readonly AnsweredQuestion[],
  read: PictureReader,
): Promise<string> {
  const { model, dataset, allQuestions } = report;
  const title = `${model.id} on ${dataset.name}${dataset.split === '' ? '' : `, ${dataset.split}`}`;
  const shelves: Html[] = [];
  for (const { title: heading, cases } of shelvesOf(answered)) {
    const items: Html[] = [];
    for (const answer of cases) items.push(caseItem(answer, await casePicture(answer, read)));
    shelves.push(html`<h2>${heading}</h2>\n<ul class="cases">${items}</ul>\n`);
  }
  const part = dataset.complete ? '' : ', a part of the data set';
  const body = html`<p>${allQuestions.questions} questions about ${allQuestions.images} images${part}, scale ${report.scale}.
Numbers are percent; ± is half the 95 % interval (answers about one image are one cluster).</p>
${reportTables(report).map(tableMarkup)}
<p>${COMPARISON_NOTE}</p>
<p>${Object.values(CASE_COLOURS).map(({ rgb, meaning }) => html`<span class="colour" style="background: rgb(${rgb.join(', ')})"></span> ${meaning} `)}</p>
${shelves}
${dataset.leftOut.length === 0 ? '' : html`<h2>Left out</h2><ul>${dataset.leftOut.map((problem) => html`<li>${problem}</li>`)}</ul>`}
`;
  return reportPage(title, body);
}

function tableMarkup({ title, headings, rows, words }: ReportTable): Html {
  const kind = (column: number): string => (column < words ? 'word' : 'number');
  return html`<h2>${title}</h2>
<div class="scroll"><table><thead><tr>${headings.map((heading, i) => html`<th class="${kind(i)}">${heading}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, i) => html`<td class="${kind(i)}">${cell}</td>`)}</tr>`)}</tbody></table></div>
`;
}

function caseItem({ asked }: AnsweredQuestion, picture: string): Html {
  return html`<li><img src="${picture}" alt="${asked.sample} with the answer to: ${asked.question}">
<strong>${asked.question}</strong><br>${asked.sample}, IoU ${percent(iouOf(asked.scene))}</li>
`;
}
