import type { ApolloServerPlugin } from '@apollo/server';
import type { AnswerText } from './json-text.ts';

/** Where the resolvers of one request leave texts; null where the answer is not sent over HTTP. */
export interface TextsHolder {
  texts: AnswerText[] | null;
}

/** Puts the texts that resolvers left into the data of the answer. */
export const answerTextsPlugin: ApolloServerPlugin<TextsHolder> = {
  async requestDidStart({ request, contextValue }) {
    if (request.http) contextValue.texts = [];
    return {
      async willSendResponse({ response: { body }, contextValue: { texts } }) {
        const data = body.kind === 'single' ? body.singleResult.data : null;
        if (!data) return;
        for (const { field, key, text } of texts ?? []) {
          const resolved = data[field];
          if (typeof resolved !== 'object' || resolved === null) continue;
          if (key === null) data[field] = text;
          else Object.assign(resolved, { [key]: text });
        }
      },
    };
  },
};
