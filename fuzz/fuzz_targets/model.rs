//! A model file that a stranger wrote.
//!
//! It is read and its layers are fitted to each other; nothing may panic or take much memory, and a network that was read must
//! be written as it was.

#![no_main]

use aumenta_models::SequentialConfig;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(config) = toml::from_str::<SequentialConfig>(text) else { return };
    if let Ok(architecture) = config.architecture() {
        assert!(architecture.classes() >= 2 && !architecture.head().is_empty());
        let written = toml::to_string(&config).expect("numbers that were read can be written");
        assert_eq!(toml::from_str::<SequentialConfig>(&written).expect("what was written can be read"), config);
    }
});
