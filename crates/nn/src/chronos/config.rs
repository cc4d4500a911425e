//! `config.json` as it is published: what of it is computed, what does not matter here, and what is
//! refused by name.

use lotwise_tensor::fused::Activation;
use serde_json::{Map, Value, json};

use super::{Input, StackConfig};
use crate::Error;

/// What a folder's configuration says.
#[derive(Debug, Clone, PartialEq)]
pub struct ChronosConfig {
    /// How windows become inputs.
    pub architecture: Architecture,
    /// The encoder.
    pub stack: StackConfig,
    /// What of the closes is fed to it; published networks take prices.
    pub input: Input,
    /// Whether it was pretrained here, on synthetic series.
    pub kernelsynth: bool,
}

/// How windows become inputs of the encoder.
#[derive(Debug, Clone, PartialEq)]
pub enum Architecture {
    /// One token for each number.
    T5(T5Config),
    /// One input for each patch.
    Bolt(BoltConfig),
}

/// The tokens of Chronos-T5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct T5Config {
    /// Of so many numbers the newest are used.
    pub context: usize,
    /// Between these the scaled numbers are cut into bins.
    pub limits: [f32; 2],
    /// How many tokens bins and special ones take.
    pub tokens: usize,
    /// How many of them are special.
    pub special: usize,
    /// The token of what is missing.
    pub missing: usize,
    /// The token at the end, where there is one.
    pub end: Option<usize>,
    /// How many rows the table of tokens has.
    pub vocabulary: usize,
}

/// The patches of Chronos-Bolt.
#[derive(Debug, Clone, PartialEq)]
pub struct BoltConfig {
    /// Of so many numbers the newest are used.
    pub context: usize,
    /// How far the network was trained to look ahead.
    pub prediction: usize,
    /// How many numbers a patch holds.
    pub patch: usize,
    /// How far patches lie apart.
    pub stride: usize,
    /// The quantiles that it was trained on.
    pub quantiles: Vec<f64>,
    /// Whether one more position stands behind the patches.
    pub register: bool,
}

/// Larger sizes are taken for damage.
const LARGEST: u64 = 1 << 16;
const T5: &str = "T5ForConditionalGeneration";
const BOLT: &str = "ChronosBoltModelForForecasting";

/// Keys that say nothing about what the encoder computes.
const ASIDE: [&str; 62] = [
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "cross_attention_hidden_size",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dropout_rate",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "id2label",
    "initializer_factor",
    "is_encoder_decoder",
    "label2id",
    "length_penalty",
    "max_length",
    "min_length",
    "n_positions",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_decoder_layers",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_scores",
    "pad_token_id",
    "prefix",
    "problem_type",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_word_embeddings",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "typical_p",
    "use_bfloat16",
    "use_cache",
    "scale_decoder_outputs",
    "model_parallel",
    "num_samples",
    "prediction_length",
];

impl ChronosConfig {
    /// Reads the text of a `config.json`; `place` is how messages call it.
    ///
    /// # Errors
    /// Names the key whose value is missing, does not read, or is not computed here; keys that are not
    /// known are refused too, since they may change what is to be computed.
    pub fn parse(text: &str, place: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(text).map_err(|fault| Error::Setting {
            place: place.to_owned(),
            key: "the file".to_owned(),
            problem: format!("is not JSON: {fault}"),
        })?;
        let Value::Object(map) = value else {
            return Err(fault(place, "the file", "is not an object of settings"));
        };
        let mut keys = Keys { place, prefix: "", map };
        let architecture = keys.architecture()?;
        keys.exactly("model_type", &json!("t5"), Presence::Wanted)?;
        for (key, off) in [
            ("is_gated_act", json!(false)),
            ("is_decoder", json!(false)),
            ("add_cross_attention", json!(false)),
            ("pruned_heads", json!({})),
        ] {
            keys.exactly(key, &off, Presence::Optional)?;
        }
        let stack = keys.stack()?;
        let ours = keys.ours()?;
        let Some(Value::Object(map)) = keys.map.remove("chronos_config") else {
            return Err(fault(
                place,
                "chronos_config",
                "is missing: this is not the configuration of a Chronos network",
            ));
        };
        let mut chronos = Keys { place, prefix: "chronos_config.", map };
        let vocabulary = keys.size("vocab_size");
        let architecture = match architecture {
            T5 => Architecture::T5(chronos.tokens(vocabulary?)?),
            _ => Architecture::Bolt(chronos.patches()?),
        };
        for keys in [&mut keys, &mut chronos] {
            keys.map.retain(|key, _| !ASIDE.contains(&key.as_str()) && !key.starts_with('_'));
            if let Some(key) = keys.map.keys().next() {
                return Err(keys.fault(key, "is not known here and might change what is computed"));
            }
        }
        let (kernelsynth, input) = ours.map_or((false, Input::Prices), |input| (true, input));
        Ok(Self { architecture, stack, input, kernelsynth })
    }

    /// The text of a `config.json` that [`Self::parse`] reads, for networks pretrained here.
    #[must_use]
    pub fn to_json(&self) -> String {
        let StackConfig { dim, heads, head_dim, hidden, layers, buckets, max_distance, epsilon, activation } =
            self.stack;
        let activation = if activation == Activation::Relu { "relu" } else { "gelu" };
        let mut json = json!({
            "model_type": "t5",
            "d_model": dim,
            "d_kv": head_dim,
            "d_ff": hidden,
            "num_layers": layers,
            // None is there, but the reference package does not read a network without.
            "num_decoder_layers": 1,
            "num_heads": heads,
            "relative_attention_num_buckets": buckets,
            "relative_attention_max_distance": max_distance,
            // By way of its decimal text: the nearest f64 has digits that nobody wrote.
            "layer_norm_epsilon": epsilon.to_string().parse::<f64>().unwrap_or(f64::from(epsilon)),
            "feed_forward_proj": activation,
            "dense_act_fn": activation,
            "is_gated_act": false,
            "is_encoder_decoder": true,
        });
        let chronos = match &self.architecture {
            Architecture::T5(t5) => {
                json["architectures"] = json!([T5]);
                json["vocab_size"] = json!(t5.vocabulary);
                json!({
                    "tokenizer_class": "MeanScaleUniformBins",
                    "tokenizer_kwargs": {"low_limit": t5.limits[0], "high_limit": t5.limits[1]},
                    "context_length": t5.context,
                    "n_tokens": t5.tokens,
                    "n_special_tokens": t5.special,
                    "pad_token_id": t5.missing,
                    "eos_token_id": t5.end.unwrap_or(1),
                    "use_eos_token": t5.end.is_some(),
                    "model_type": "seq2seq",
                })
            }
            Architecture::Bolt(bolt) => {
                json["architectures"] = json!([BOLT]);
                json["chronos_pipeline_class"] = json!("ChronosBoltPipeline");
                json["vocab_size"] = json!(if bolt.register { 2 } else { 1 });
                json!({
                    "context_length": bolt.context,
                    "prediction_length": bolt.prediction,
                    "input_patch_size": bolt.patch,
                    "input_patch_stride": bolt.stride,
                    "quantiles": bolt.quantiles,
                    "use_reg_token": bolt.register,
                })
            }
        };
        json["chronos_config"] = chronos;
        if self.kernelsynth {
            json["lotwise"] = json!({"kind": "kernelsynth", "input": self.input.name()});
        }
        format!("{json:#}\n")
    }
}

/// The keys of an object that are still to be read.
struct Keys<'a> {
    place: &'a str,
    prefix: &'static str,
    map: Map<String, Value>,
}

#[derive(Clone, Copy, PartialEq)]
enum Presence {
    Wanted,
    Optional,
}

fn fault(place: &str, key: &str, problem: impl Into<String>) -> Error {
    Error::Setting { place: place.to_owned(), key: key.to_owned(), problem: problem.into() }
}

impl Keys<'_> {
    fn fault(&self, key: &str, problem: impl Into<String>) -> Error {
        fault(self.place, &format!("{}{key}", self.prefix), problem)
    }

    /// Takes a value that is there and not null.
    fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key).filter(|value| !value.is_null())
    }

    fn wanted(&mut self, key: &str) -> Result<Value, Error> {
        self.take(key).ok_or_else(|| self.fault(key, "is missing"))
    }

    fn exactly(&mut self, key: &str, only: &Value, presence: Presence) -> Result<(), Error> {
        match self.take(key) {
            Some(value) if value != *only => Err(self.fault(key, format!("is {value}; only {only} is computed here"))),
            None if presence == Presence::Wanted => Err(self.fault(key, format!("is missing; {only} is expected"))),
            _ => Ok(()),
        }
    }

    /// A whole number from 0 up to what is believable.
    fn count(&mut self, key: &str) -> Result<usize, Error> {
        let value = self.wanted(key)?;
        let number = value.as_u64().filter(|&number| number <= LARGEST);
        let number =
            number.ok_or_else(|| self.fault(key, format!("is {value}, not a whole number up to {LARGEST}")))?;
        Ok(number as usize)
    }

    /// As [`Self::count`], above 0.
    fn size(&mut self, key: &str) -> Result<usize, Error> {
        match self.count(key)? {
            0 => Err(self.fault(key, "is 0")),
            size => Ok(size),
        }
    }

    fn size_or(&mut self, key: &str, default: usize) -> Result<usize, Error> {
        if self.map.contains_key(key) { self.size(key) } else { Ok(default) }
    }

    fn number(&mut self, key: &str) -> Result<f64, Error> {
        let value = self.wanted(key)?;
        let number = value.as_f64().filter(|number| number.is_finite() && number.abs() < 1e9);
        number.ok_or_else(|| self.fault(key, format!("is {value}, not a number")))
    }

    fn flag(&mut self, key: &str) -> Result<bool, Error> {
        let value = self.wanted(key)?;
        value.as_bool().ok_or_else(|| self.fault(key, format!("is {value}, neither true nor false")))
    }

    fn architecture(&mut self) -> Result<&'static str, Error> {
        let named = self.wanted("architectures")?;
        let only = named.as_array().and_then(|all| if let [one] = &all[..] { one.as_str() } else { None });
        let found = match only {
            Some(T5) => T5,
            Some(BOLT) => BOLT,
            _ => {
                let problem =
                    format!("is {named}; [\"{T5}\"] (Chronos-T5) and [\"{BOLT}\"] (Chronos-Bolt) are computed here");
                return Err(self.fault("architectures", problem));
            }
        };
        let pipeline = if found == T5 { "ChronosPipeline" } else { "ChronosBoltPipeline" };
        self.exactly("chronos_pipeline_class", &json!(pipeline), Presence::Optional)?;
        self.exactly("reg_token_id", &json!(1), Presence::Optional)?;
        Ok(found)
    }

    fn stack(&mut self) -> Result<StackConfig, Error> {
        let activation = self.wanted("feed_forward_proj")?;
        let activation = match activation.as_str() {
            Some("relu") => Activation::Relu,
            Some("gelu") => Activation::Gelu,
            _ => {
                let problem = format!("is {activation}; \"relu\" and \"gelu\" are computed here");
                return Err(self.fault("feed_forward_proj", problem));
            }
        };
        let name = if activation == Activation::Relu { "relu" } else { "gelu" };
        self.exactly("dense_act_fn", &json!(name), Presence::Optional)?;
        let epsilon =
            if self.map.contains_key("layer_norm_epsilon") { self.number("layer_norm_epsilon")? } else { 1e-6 };
        // As it is computed with: a number too small for f32 would be 0.
        if epsilon as f32 <= 0.0 {
            return Err(self.fault("layer_norm_epsilon", format!("is {epsilon}, not above 0")));
        }
        let stack = StackConfig {
            dim: self.size("d_model")?,
            heads: self.size("num_heads")?,
            head_dim: self.size("d_kv")?,
            hidden: self.size("d_ff")?,
            layers: self.size("num_layers")?,
            buckets: self.size_or("relative_attention_num_buckets", 32)?,
            max_distance: self.size_or("relative_attention_max_distance", 128)?,
            epsilon: epsilon as f32,
            activation,
        };
        if !stack.buckets_fit() {
            let problem = format!(
                "is {}; an even number from 4 up is expected, and a relative_attention_max_distance above a quarter of it",
                stack.buckets
            );
            return Err(self.fault("relative_attention_num_buckets", problem));
        }
        Ok(stack)
    }

    /// What we note ourselves: the kind and the input of networks that were pretrained here.
    fn ours(&mut self) -> Result<Option<Input>, Error> {
        let Some(value) = self.take("lotwise") else { return Ok(None) };
        let Value::Object(map) = value else {
            return Err(self.fault("lotwise", format!("is {value}, not an object of settings")));
        };
        let mut keys = Keys { place: self.place, prefix: "lotwise.", map };
        keys.exactly("kind", &json!("kernelsynth"), Presence::Wanted)?;
        let name = keys.wanted("input")?;
        let input = name.as_str().and_then(Input::named);
        let input = input.ok_or_else(|| {
            keys.fault("input", format!("is {name}; \"prices\", \"log_prices\" and \"returns\" are known"))
        })?;
        match keys.map.keys().next() {
            Some(key) => Err(keys.fault(key, "is not known here")),
            None => Ok(Some(input)),
        }
    }

    fn tokens(&mut self, vocabulary: usize) -> Result<T5Config, Error> {
        self.exactly("tokenizer_class", &json!("MeanScaleUniformBins"), Presence::Wanted)?;
        self.exactly("model_type", &json!("seq2seq"), Presence::Wanted)?;
        let Some(Value::Object(map)) = self.take("tokenizer_kwargs") else {
            return Err(self.fault("tokenizer_kwargs", "is missing"));
        };
        let mut kwargs = Keys { place: self.place, prefix: "chronos_config.tokenizer_kwargs.", map };
        let limits = [kwargs.number("low_limit")? as f32, kwargs.number("high_limit")? as f32];
        if limits[0] >= limits[1] {
            return Err(kwargs.fault("high_limit", format!("is {}, not above low_limit, {}", limits[1], limits[0])));
        }
        if let Some(key) = kwargs.map.keys().next() {
            return Err(kwargs.fault(key, "is not known here and might change what is computed"));
        }
        let context = self.size("context_length")?;
        let (tokens, special) = (self.size("n_tokens")?, self.size("n_special_tokens")?);
        if special + 2 >= tokens || tokens > vocabulary {
            let problem =
                format!("is {tokens}, with {special} special tokens in a vocab_size of {vocabulary}: no bins fit");
            return Err(self.fault("n_tokens", problem));
        }
        let missing = self.special("pad_token_id", special)?;
        let end = self.special("eos_token_id", special)?;
        let end = self.flag("use_eos_token")?.then_some(end);
        Ok(T5Config { context, limits, tokens, special, missing, end, vocabulary })
    }

    fn special(&mut self, key: &str, special: usize) -> Result<usize, Error> {
        let token = self.count(key)?;
        if token >= special {
            return Err(self.fault(key, format!("is {token}, which is none of the {special} special tokens")));
        }
        Ok(token)
    }

    fn patches(&mut self) -> Result<BoltConfig, Error> {
        let quantiles = self.wanted("quantiles")?;
        let levels: Option<Vec<f64>> = quantiles.as_array().and_then(|all| all.iter().map(Value::as_f64).collect());
        let levels = levels.filter(|all| !all.is_empty() && all.iter().all(|level| *level > 0.0 && *level < 1.0));
        let quantiles = levels
            .ok_or_else(|| self.fault("quantiles", format!("is {quantiles}, not a list of levels between 0 and 1")))?;
        Ok(BoltConfig {
            context: self.size("context_length")?,
            prediction: self.size("prediction_length")?,
            patch: self.size("input_patch_size")?,
            stride: self.size("input_patch_stride")?,
            quantiles,
            register: if self.map.contains_key("use_reg_token") { self.flag("use_reg_token")? } else { false },
        })
    }
}
