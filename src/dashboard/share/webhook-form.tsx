import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask, problemText } from '../graphql.ts';
import { texts, webhookStates } from '../texts.en.ts';
import { copy } from './copy.ts';
import { CREATE_WEBHOOK, DELETE_WEBHOOK, WEBHOOKS } from './webhook-documents.ts';

interface Properties {
  /** Slug of the view whose features are told of. */
  readonly view: string;
  readonly onTold: (text: string) => void;
}

/** Makes a webhook that tells of the features of a view, shows its secret once, and lists the webhooks there are. */
export function WebhookForm({ view, onTold }: Properties): ReactNode {
  const client = useQueryClient();
  const [secret, setSecret] = useState<string | null>(null);
  const webhooks = useQuery({
    queryKey: ['webhooks'],
    queryFn: async ({ signal }) => (await ask(WEBHOOKS, {}, signal)).webhooks ?? [],
  });
  const change = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      await client.invalidateQueries({ queryKey: ['webhooks'] });
    } catch (error) {
      onTold(problemText(error));
    }
  };
  const make = (url: string): Promise<void> =>
    change(async () => {
      const events = ['FEATURES_ADDED', 'FEATURES_REVIEWED'] as const;
      const { createWebhook } = await ask(CREATE_WEBHOOK, {
        input: { url, view, events: [...events], description: '' },
      });
      setSecret(createWebhook?.secret ?? null);
    });
  return (
    <div className="webhooks">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const url = new FormData(event.currentTarget).get('url');
          if (typeof url === 'string') void make(url);
        }}
      >
        <label>
          {texts.webhookUrl}
          <input name="url" type="url" pattern="https://.+" placeholder="https://" required />
        </label>
        <button type="submit">{texts.makeWebhook}</button>
      </form>
      {secret !== null && (
        <p role="status">
          {texts.webhookSecret} <code>{secret}</code>{' '}
          <button type="button" onClick={() => void copy(secret).then(onTold)}>
            {texts.copy}
          </button>
        </p>
      )}
      <ul>
        {webhooks.data?.map(({ id, url, state }) => (
          <li key={id}>
            <span className="name">{url}</span> <span className="facts">{webhookStates[state]}</span>{' '}
            <button
              type="button"
              aria-label={texts.deleteWebhook(url)}
              onClick={() => void change(() => ask(DELETE_WEBHOOK, { id }))}
            >
              {texts.delete}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
