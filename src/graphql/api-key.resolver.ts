import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { ApiKey } from '../identity/api-key.ts';
import type { CreatedApiKey } from '../identity/api-key.service.ts';
import { AllowedTo } from './allowed-to.ts';
import { ApiKeyType, CreateApiKeyInput, CreatedApiKeyType, RoleEnum, roleName, roleOf } from './api-key.type.ts';
import type { RequestContext } from './context.ts';

@Resolver(() => ApiKeyType)
export class ApiKeyResolver {
  @AllowedTo('admin')
  @Query(() => [ApiKeyType], { nullable: true, description: 'Every key of the workspace, newest first.' })
  apiKeys(@Ctx() { services }: RequestContext): Promise<ApiKey[]> {
    return services.apiKeys.list();
  }

  @FieldResolver(() => RoleEnum, { description: 'What it may do.' })
  role(@Root() { role }: ApiKey): keyof typeof RoleEnum {
    return roleName(role);
  }

  @AllowedTo('admin')
  @Mutation(() => CreatedApiKeyType, { nullable: true, description: 'Makes a key.' })
  createApiKey(
    @Arg('input', () => CreateApiKeyInput, { description: 'The key.' }) input: CreateApiKeyInput,
    @Ctx() { services }: RequestContext,
  ): Promise<CreatedApiKey> {
    const { name, role, expiresAt } = input;
    return services.apiKeys.create({ name, role: roleOf(role ?? RoleEnum.VIEWER), expiresAt: expiresAt ?? null });
  }

  @AllowedTo('admin')
  @Mutation(() => ApiKeyType, {
    nullable: true,
    description: 'Revokes a key; it is refused within a minute, and subscriptions made with it end.',
  })
  revokeApiKey(
    @Arg('id', () => ID, { description: 'Identifier of the key.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<ApiKey> {
    return services.apiKeys.revoke(id);
  }
}
