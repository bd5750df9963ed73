import { describe, expect, it } from 'vitest';
import { html } from '../../src/html.ts';

describe('html', () => {
  it('escapes every value, in text and in attributes', () => {
    const name = `<img src=x onerror="alert('1')"> & co`;
    expect(html`<p title="${name}">${name}</p>`.markup).toBe(
      '<p title="&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; co">' +
        '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; co</p>',
    );
  });

  it('keeps markup that it made itself, alone or in a list', () => {
    const items = ['a', 'b<'].map((item) => html`<li>${item}</li>`);
    expect(html`<ul>${items}</ul>${html`<hr />`}`.markup).toBe('<ul><li>a</li><li>b&lt;</li></ul><hr />');
  });
});
