//! The models that it knows, and the way to them: `models.json` (section 1.4), and the playground's own.

use super::args::Refusal;
use super::dialect::Dialect;
use serde_json::{Map, Value, json};
use std::path::Path;

/// A model.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// As the wire has it (section 2.4).
    pub(super) row: Value,
    /// The key of whoever serves it; without one it cannot be used.
    pub(super) key: Option<String>,
}

impl Model {
    pub(super) fn id(&self) -> &str {
        self.row["id"].as_str().unwrap_or_default()
    }

    pub(super) fn provider(&self) -> &str {
        self.row["provider"].as_str().unwrap_or_default()
    }

    pub(super) fn url(&self) -> &str {
        self.row["baseUrl"].as_str().unwrap_or_default()
    }

    /// What stands for a model where there is none (section 2.3).
    pub(super) fn unknown() -> Self {
        let row = json!({ "id": "unknown", "name": "unknown", "api": "unknown", "provider": "unknown" });
        Self { row, key: None }
    }

    /// What so many tokens are, as the wire has it, with their price in US dollars.
    pub(super) fn usage(&self, prompt: u64, cached: u64, written: u64) -> Value {
        // Far below 2^52: counts of tokens.
        #[allow(clippy::cast_precision_loss)]
        let price = |kind: &str, tokens: u64| self.row["cost"][kind].as_f64().unwrap_or(0.0) * tokens as f64 / 1e6;
        let input = prompt.saturating_sub(cached);
        let (paid, back, cheap) = (price("input", input), price("output", written), price("cacheRead", cached));
        json!({
            "input": input, "output": written, "cacheRead": cached, "cacheWrite": 0, "totalTokens": prompt + written,
            "cost": { "input": paid, "output": back, "cacheRead": cheap, "cacheWrite": 0, "total": paid + back + cheap },
        })
    }
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Catalogue(Vec<Model>);

impl Catalogue {
    /// What the agent's directory says, and the model at `url` behind it, whose key has the variable of Anthropic. A file
    /// that is broken is ignored without a word, as the real ones do.
    pub(super) fn load(dialect: Dialect, dir: &Path, url: Option<&str>, var: &dyn Fn(&str) -> Option<String>) -> Self {
        let text = std::fs::read_to_string(dir.join("models.json")).unwrap_or_default();
        let file: Value = serde_json::from_str(&text).unwrap_or_default();
        let mut all = Vec::new();
        for (name, provider) in file["providers"].as_object().unwrap_or(&Map::new()) {
            let key = provider["apiKey"].as_str().and_then(|key| resolve(dialect, key, var));
            for model in provider["models"].as_array().into_iter().flatten() {
                all.push(Model { row: row(name, provider, model), key: key.clone() });
            }
        }
        if let Some(url) = url {
            let provider = json!({ "baseUrl": url, "api": "openai-completions" });
            let model = json!({ "id": "scripted-1", "name": "Scripted One", "contextWindow": 32_000,
                "cost": { "input": 1, "output": 2, "cacheRead": 0.1, "cacheWrite": 0 } });
            let key = var("ANTHROPIC_API_KEY");
            all.push(Model { row: row("anthropic", &provider, &model), key });
        }
        Self(all)
    }

    /// Those that can be used.
    pub(super) fn usable(&self) -> impl Iterator<Item = &Model> {
        self.0.iter().filter(|model| model.key.is_some())
    }

    /// The one of that provider and id.
    pub(super) fn find(&self, provider: &str, id: &str) -> Option<&Model> {
        self.0.iter().find(|model| model.provider() == provider && model.id() == id)
    }

    /// The one that the command line means, and a warning about it.
    pub(super) fn choose(
        &self,
        dialect: Dialect,
        provider: Option<&str>,
        id: Option<&str>,
    ) -> Result<(Model, Option<String>), Refusal> {
        let (provider, id) = match (provider, id.and_then(|id| id.split_once('/'))) {
            (None, Some((provider, id))) if self.0.iter().any(|model| model.provider() == provider) => {
                (Some(provider), Some(id))
            }
            _ => (provider, id),
        };
        let mut meant = self.0.iter().filter(|model| provider.is_none_or(|name| model.provider() == name));
        if let Some(name) = provider
            && meant.clone().next().is_none()
        {
            return Err(Refusal::new(if dialect.is_pi() {
                format!("Error: Unknown provider \"{name}\". Use --list-models to see available providers/models.")
            } else {
                format!("Unknown provider \"{name}\". Run \"omp models\" to see available providers/models.")
            }));
        }
        let Some(id) = id else {
            let first = meant.clone().find(|model| model.key.is_some()).or_else(|| provider.and(meant.next()));
            return Ok((first.cloned().unwrap_or_else(Model::unknown), None));
        };
        if let Some(model) = meant.clone().find(|model| model.id() == id) {
            return Ok((model.clone(), None));
        }
        match (meant.next(), provider) {
            (Some(other), Some(name)) if dialect.is_pi() => {
                let mut custom = other.clone();
                (custom.row["id"], custom.row["name"]) = (id.into(), id.into());
                let text = format!("Warning: Model \"{id}\" not found for provider \"{name}\". Using custom model id.");
                Ok((custom, Some(text)))
            }
            (_, name) => {
                let full = name.map_or_else(|| id.to_owned(), |name| format!("{name}/{id}"));
                Err(Refusal::new(format!("Model \"{full}\" not found. Run \"omp models\" to see available models.")))
            }
        }
    }
}

/// A key as a configuration has it: the old ones take the name of a variable or the key itself, newer ones mark a name
/// with `$`.
fn resolve(dialect: Dialect, text: &str, var: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    match (dialect, text.strip_prefix('$')) {
        (Dialect::New, Some(name)) => var(name),
        (Dialect::New, None) => Some(text.to_owned()),
        _ => Some(var(text).unwrap_or_else(|| text.to_owned())),
    }
}

fn row(name: &str, provider: &Value, model: &Value) -> Value {
    let or = |key: &str, default: Value| model.get(key).cloned().unwrap_or(default);
    let id = or("id", Value::Null);
    let free = json!({ "input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0 });
    json!({
        "id": id, "name": or("name", id.clone()), "api": provider["api"], "provider": name,
        "baseUrl": provider["baseUrl"], "reasoning": or("reasoning", false.into()), "input": or("input", json!(["text"])),
        "cost": or("cost", free), "contextWindow": or("contextWindow", 128_000.into()),
        "maxTokens": or("maxTokens", 16_384.into()),
    })
}
