//! The keys of model providers: which variables hold them (section 1.2), and which of them an agent gets.
//!
//! An agent gets the keys of the provider that it talks to and no others, by its environment and never as an argument.

use crate::error::{Error, Result};
use std::ffi::OsString;

/// The variables of a provider, by its id in pi; the first that is set would do.
const KEYS: &[(&str, &[&str])] = &[
    ("anthropic", &["ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"]),
    ("openai", &["OPENAI_API_KEY"]),
    ("google", &["GEMINI_API_KEY"]),
    ("openrouter", &["OPENROUTER_API_KEY"]),
    ("deepseek", &["DEEPSEEK_API_KEY"]),
    ("mistral", &["MISTRAL_API_KEY"]),
    ("groq", &["GROQ_API_KEY"]),
    ("cerebras", &["CEREBRAS_API_KEY"]),
    ("xai", &["XAI_API_KEY"]),
    ("together", &["TOGETHER_API_KEY"]),
    ("fireworks", &["FIREWORKS_API_KEY"]),
    ("nvidia", &["NVIDIA_API_KEY"]),
    ("baseten", &["BASETEN_API_KEY"]),
    ("vercel-ai-gateway", &["AI_GATEWAY_API_KEY"]),
    ("huggingface", &["HF_TOKEN"]),
    ("zai", &["ZAI_API_KEY"]),
    ("zai-coding-cn", &["ZAI_CODING_CN_API_KEY"]),
    ("minimax", &["MINIMAX_API_KEY"]),
    ("minimax-cn", &["MINIMAX_CN_API_KEY"]),
    ("moonshotai", &["MOONSHOT_API_KEY"]),
    ("moonshotai-cn", &["MOONSHOT_API_KEY"]),
    ("kimi-coding", &["KIMI_API_KEY"]),
    ("opencode", &["OPENCODE_API_KEY"]),
    ("opencode-go", &["OPENCODE_API_KEY"]),
    ("ant-ling", &["ANT_LING_API_KEY"]),
    ("qwen-token-plan", &["QWEN_TOKEN_PLAN_API_KEY"]),
    ("qwen-token-plan-individual", &["QWEN_TOKEN_PLAN_API_KEY"]),
    ("qwen-token-plan-cn", &["QWEN_TOKEN_PLAN_CN_API_KEY"]),
    ("meta", &["META_API_KEY"]),
    ("radius", &["RADIUS_API_KEY"]),
    ("xiaomi", &["XIAOMI_API_KEY"]),
    ("xiaomi-token-plan-cn", &["XIAOMI_TOKEN_PLAN_CN_API_KEY"]),
    ("xiaomi-token-plan-ams", &["XIAOMI_TOKEN_PLAN_AMS_API_KEY"]),
    ("xiaomi-token-plan-sgp", &["XIAOMI_TOKEN_PLAN_SGP_API_KEY"]),
    ("github-copilot", &["COPILOT_GITHUB_TOKEN"]),
    ("cloudflare-workers-ai", &["CLOUDFLARE_API_KEY"]),
    ("cloudflare-ai-gateway", &["CLOUDFLARE_API_KEY"]),
    ("azure-openai-responses", &["AZURE_OPENAI_API_KEY"]),
    ("google-vertex", &["GOOGLE_CLOUD_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"]),
    ("amazon-bedrock", &["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"]),
];

/// What some providers need beside a key.
const BESIDE: &[(&str, &[&str])] = &[
    (
        "azure-openai-responses",
        &[
            "AZURE_OPENAI_BASE_URL",
            "AZURE_OPENAI_RESOURCE_NAME",
            "AZURE_OPENAI_API_VERSION",
            "AZURE_OPENAI_DEPLOYMENT_NAME_MAP",
        ],
    ),
    ("google-vertex", &["GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"]),
    ("amazon-bedrock", &["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"]),
    ("cloudflare-workers-ai", &["CLOUDFLARE_ACCOUNT_ID"]),
    ("cloudflare-ai-gateway", &["CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_GATEWAY_ID"]),
];

/// A variable and its value.
pub(super) type Variable = (String, OsString);

/// What decides which keys an agent gets.
pub(super) struct Wanted<'a> {
    /// The endpoint, for messages.
    pub(super) endpoint: &'a str,
    /// Who serves the model, as far as that is said.
    pub(super) provider: Option<&'a str>,
    /// The variable that the configuration names.
    pub(super) key_env: Option<&'a str>,
    /// The names of variables that it gets anyway.
    pub(super) given: &'a [String],
    /// Whether it can log in without any of them.
    pub(super) has_login: bool,
}

/// The provider that a model names itself (`anthropic/claude-…`).
pub(super) fn provider_of(model: &str) -> Option<&str> {
    model.split_once('/').map(|(provider, _)| provider).filter(|provider| variables(provider).is_some())
}

/// Every variable that may hold a key.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    KEYS.iter().chain(BESIDE).flat_map(|(_, names)| names.iter().copied())
}

/// The keys that the agent gets, or which variables were looked for in vain.
pub(super) fn select(wanted: &Wanted<'_>, vars: &dyn Fn(&str) -> Option<OsString>) -> Result<Vec<Variable>> {
    let set = |name: &str| vars(name).filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value));
    if let Some(name) = wanted.key_env {
        let Some((_, value)) = set(name) else {
            return Err(missing(wanted, &[name]).hint(format!("`key_env` of endpoint `{}` names it", wanted.endpoint)));
        };
        let known = wanted.provider.and_then(variables).unwrap_or_default();
        // Under the name that the agent looks for, if that is another.
        let name = known.first().filter(|_| !known.contains(&name)).copied().unwrap_or(name);
        return Ok(vec![(name.to_owned(), value)]);
    }
    let is_given = |names: &[&str]| names.iter().any(|name| wanted.given.iter().any(|given| given == name));
    if let Some(provider) = wanted.provider {
        let Some(names) = variables(provider) else { return Ok(Vec::new()) };
        let found = group(provider, names, &set);
        return if found.is_empty() && !wanted.has_login && !is_given(names) {
            Err(missing(wanted, names).hint(format!("set {}, or pass --share-login", names[names.len().min(2) - 1])))
        } else {
            Ok(found)
        };
    }
    let first = KEYS.iter().find(|(_, names)| names.iter().any(|name| set(name).is_some()));
    match first {
        Some((provider, names)) => Ok(group(provider, names, &set)),
        None if wanted.has_login || KEYS.iter().any(|(_, names)| is_given(names)) => Ok(Vec::new()),
        None => {
            let common: Vec<_> = KEYS.iter().take(4).filter_map(|(_, names)| names.last().copied()).collect();
            Err(missing(wanted, &["ANTHROPIC_API_KEY", common[1], common[2], common[3]])
                .cause(format!("and for {} more", KEYS.len() - common.len()))
                .hint("set the one of your provider, or pass --share-login"))
        }
    }
}

fn missing(wanted: &Wanted<'_>, names: &[&str]) -> Error {
    let whose = wanted.provider.map(|provider| format!(" of `{provider}`")).unwrap_or_default();
    Error::auth(format!("no key{whose} for `{}`: looked for {}", wanted.endpoint, names.join(", ")))
}

/// Everything of a provider that is set, if a key is among it.
fn group(provider: &str, names: &[&str], set: &dyn Fn(&str) -> Option<Variable>) -> Vec<Variable> {
    let mut found: Vec<Variable> = names.iter().filter_map(|name| set(name)).collect();
    if !found.is_empty() {
        let beside = BESIDE.iter().find(|(id, _)| *id == provider).map_or(&[][..], |(_, names)| *names);
        found.extend(beside.iter().filter_map(|name| set(name)));
    }
    found
}

fn variables(provider: &str) -> Option<&'static [&'static str]> {
    KEYS.iter().find(|(id, _)| *id == provider).map(|(_, names)| *names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn selected(wanted: &Wanted<'_>, set: &[&str]) -> Result<Vec<String>> {
        let vars = |name: &str| set.contains(&name).then(|| OsString::from("k"));
        select(wanted, &vars).map(|keys| keys.into_iter().map(|(name, _)| name).collect())
    }

    fn wanted(provider: Option<&str>) -> Wanted<'_> {
        Wanted { endpoint: "pi", provider, key_env: None, given: &[], has_login: false }
    }

    #[test]
    fn only_the_keys_of_the_provider_go_along() {
        let set = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AWS_REGION", "AWS_PROFILE"];
        assert_eq!(selected(&wanted(Some("openai")), &set).unwrap(), ["OPENAI_API_KEY"]);
        assert_eq!(selected(&wanted(Some("amazon-bedrock")), &set).unwrap(), ["AWS_PROFILE", "AWS_REGION"]);
        assert_eq!(selected(&wanted(None), &set).unwrap(), ["ANTHROPIC_API_KEY"], "one provider, not all");
        assert!(selected(&wanted(Some("fake")), &set).unwrap().is_empty());
    }

    #[test]
    fn a_missing_key_names_the_variables() {
        let error = selected(&wanted(Some("openai")), &["AWS_REGION"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert_eq!(error.to_string(), "no key of `openai` for `pi`: looked for OPENAI_API_KEY");
        let error = selected(&wanted(None), &[]).unwrap_err();
        assert!(error.to_string().contains("ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY"), "{error}");
        assert!(selected(&Wanted { has_login: true, ..wanted(Some("openai")) }, &[]).unwrap().is_empty());
        let given = ["OPENAI_API_KEY".to_owned()];
        assert!(selected(&Wanted { given: &given, ..wanted(Some("openai")) }, &[]).unwrap().is_empty());
    }

    #[test]
    fn the_configuration_may_name_the_variable() {
        let named = |provider| Wanted { key_env: Some("WORK_KEY"), ..wanted(provider) };
        assert_eq!(selected(&named(Some("openai")), &["WORK_KEY"]).unwrap(), ["OPENAI_API_KEY"]);
        assert_eq!(selected(&named(Some("fake")), &["WORK_KEY"]).unwrap(), ["WORK_KEY"]);
        assert_eq!(selected(&named(None), &["OPENAI_API_KEY"]).unwrap_err().kind(), ErrorKind::Auth);
    }

    #[test]
    fn a_model_may_name_its_provider() {
        assert_eq!(provider_of("anthropic/claude"), Some("anthropic"));
        assert_eq!(provider_of("meta-llama/llama"), None);
        assert_eq!(provider_of("gpt"), None);
    }
}
