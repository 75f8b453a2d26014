//! A training under way: its epochs, measurements, records and snapshots.

use std::sync::atomic::Ordering;
use std::time::Instant;

use aumenta_dataset::Split;
use aumenta_metrics::Measure;
use aumenta_models::Model;
use aumenta_nn::{Goal, NnError, Plateau, PlateauDecision, Precision, ScheduleConfig, WeightAverage};
use aumenta_runs::{EpochRecord, FaultRecord, Kept, Merit, RunFolder, Scores, ValidationRecord};
use aumenta_stream::{Cursor, Fault};

use crate::checkpoint::Checkpoint;
use crate::error::{Divergence, NotFinite, TrainError};
use crate::evaluate::{Measured, measure, measure_rows};
use crate::features::Rows;
use crate::feed::{Images, Loading};
use crate::fit::{End, Fit, Fitted, Length, OnNan};
use crate::freezing::{Phase, PhaseRecord};
use crate::observer::{Observer, Progress, StepProgress};
use crate::pass::{Pass, RowPass};
use crate::seal::Seal;
use crate::snapshot::{Snapshot, Standing, State};
use crate::stepper::{Step, Stepper};
use crate::tensors::{Crossing, Examples};

/// Everything that changes in the course of a training.
pub(crate) struct Training<'a> {
    fit: &'a Fit<'a>,
    network: &'a Checkpoint,
    run: &'a RunFolder,
    /// How batches get to the network.
    pub crossing: Crossing,
    /// The phase that the epoch under way belongs to.
    phase: Phase,
    /// What must not change in it.
    seal: Seal,
    stepper: Stepper<'a>,
    plateau: Option<Plateau>,
    standing: Standing,
    epochs: Vec<EpochRecord>,
}

/// Whether a pass over the training split was ended from outside.
enum Pause {
    Interrupted,
    /// Its last batch, or the training's last step, is done.
    Done(Loading),
}

/// What a measurement of the validation split found.
struct Validation {
    scores: Scores,
    /// The measure that decides, where it is not among the scores.
    monitored: Option<f64>,
    faults: Vec<Fault>,
}

impl<'a> Training<'a> {
    pub fn new(
        model: &'a mut dyn Model,
        fit: &'a Fit<'a>,
        network: &'a Checkpoint,
        run: &'a RunFolder,
        from: Option<Snapshot>,
    ) -> Result<Self, TrainError> {
        let classes = network.classes.len();
        let epoch = from.as_ref().map_or(0, |snapshot| snapshot.state.standing.cursor.epoch);
        let phase = fit.config.freezing.phase(epoch);
        let stepper = Stepper::new(model, fit, classes, phase)?;
        let mut training = Self {
            fit,
            network,
            run,
            crossing: Crossing::to(fit.device)?,
            phase,
            seal: Seal::new(&stepper.parameters, &stepper.optimizer)?,
            stepper,
            plateau: fit.config.schedule.plateau(),
            standing: Standing::start(classes),
            epochs: Vec::new(),
        };
        if let Some(snapshot) = from {
            training.take_up(snapshot)?;
        }
        if let Some(exchange) = fit.exchange {
            exchange.borrow_mut().broadcast(&training.stepper.parameters)?;
            training.seal = Seal::new(&training.stepper.parameters, &training.stepper.optimizer)?;
        }
        Ok(training)
    }

    /// Goes on where a training stood.
    fn take_up(&mut self, snapshot: Snapshot) -> Result<(), TrainError> {
        let Snapshot { state: State { standing, optimizer, plateau, .. }, weights, average } = snapshot;
        self.stepper.restore(&weights, &optimizer, &average)?;
        // A schedule that was only now asked for has not waited yet.
        if plateau.is_some() && self.plateau.is_some() {
            self.plateau = plateau;
        }
        self.standing = standing;
        self.seal = Seal::new(&self.stepper.parameters, &self.stepper.optimizer)?;
        self.rewind_logs()
    }

    /// Brings the run's logs to where the training stands; the kill may have come before or after a line was written.
    fn rewind_logs(&mut self) -> Result<(), TrainError> {
        let Standing { cursor, step, ended, .. } = self.standing.clone();
        self.run.rewind(cursor.epoch as usize, step)?;
        self.epochs = self.run.read_epochs()?;
        let Some((record, faults)) = ended else { return Ok(()) };
        let is_logged = self.epochs.last().is_some_and(|last| last.epoch >= record.epoch);
        // What ended within an epoch goes on now, where there are steps left.
        let goes_on = record.epoch as u64 > cursor.epoch && !self.is_complete();
        if is_logged || goes_on { Ok(()) } else { self.log(record, &faults) }
    }

    /// Trains to the end.
    pub fn run(mut self, observer: &mut dyn Observer) -> Result<Fitted, TrainError> {
        observer.phase_began(&self.phase_record());
        while !self.is_complete() && !self.is_stopped() {
            match self.train_epoch(observer)? {
                Pause::Done(loading) => self.end_epoch(&loading, observer)?,
                Pause::Interrupted => {
                    let step = self.standing.step;
                    return Ok(Fitted { epochs: self.epochs, end: End::Interrupted { step } });
                }
            }
        }
        observer.phase_ended(&self.phase_record(), self.epochs.len());
        let stopping = self.fit.config.early_stopping.filter(|_| self.is_stopped());
        if stopping.is_some_and(|stopping| stopping.restore_best) {
            let best = Checkpoint::read_weights(&self.run.weights_path(Kept::Best))?;
            self.stepper.parameters.set_tensors(&best)?;
        }
        let end = if stopping.is_some() { End::Stopped } else { End::Finished };
        Ok(Fitted { epochs: self.epochs, end })
    }

    fn is_complete(&self) -> bool {
        match self.fit.config.length {
            Length::Epochs(epochs) => self.standing.cursor.epoch >= epochs as u64,
            Length::Steps(steps) => self.standing.step >= steps,
        }
    }

    fn is_stopped(&self) -> bool {
        self.standing.watch.is_over(self.fit.config.early_stopping.as_ref())
    }

    /// The epoch under way, counted from 1.
    fn epoch(&self) -> usize {
        self.standing.cursor.epoch as usize + 1
    }

    /// The rest of the pass over the training split that is under way.
    fn train_epoch(&mut self, observer: &mut dyn Observer) -> Result<Pause, TrainError> {
        let fit = self.fit;
        let faults_before = self.standing.faults.clone();
        let mut clock = Clock::start();
        let mut pass = self.pass()?;
        while !matches!(fit.config.length, Length::Steps(steps) if self.standing.step >= steps) {
            let Some(examples) = pass.next() else {
                // Batches of which no image could be used may have come behind the last one that was trained on.
                self.standing.cursor = pass.cursor();
                self.note_faults(&faults_before, &pass);
                break;
            };
            let cursor = pass.cursor();
            let ends_step = fit.config.ends_step(cursor.batch, pass.batch_count());
            let step = self.train_batch(&examples?, ends_step)?;
            self.standing.cursor = cursor;
            let of_batch = step.trained.as_ref().map_or(f64::NAN, |trained| mean(&trained.losses));
            let (progress, step_progress) = self.progress(of_batch, &clock, &pass);
            observer.trained(&progress, &step_progress);
            if !ends_step {
                continue;
            }
            self.note_faults(&faults_before, &pass);
            let step = step.moved.then_some(self.standing.step);
            let is_due = |every: Option<u64>| matches!((every, step), (Some(every), Some(step)) if step % every == 0);
            let is_last = cursor.batch == pass.batch_count();
            if is_due(fit.config.validation.every_steps) && !is_last {
                clock.stop(&mut self.standing);
                self.validate_within_epoch(observer)?;
                clock = Clock::start();
            }
            let is_interrupted = fit.interrupt.load(Ordering::Relaxed);
            if is_interrupted || is_due(fit.config.checkpoints.every_steps) {
                clock.stop(&mut self.standing);
                self.check_seal()?;
                self.save(observer)?;
                clock = Clock::start();
            }
            if is_interrupted {
                return Ok(Pause::Interrupted);
            }
        }
        clock.stop(&mut self.standing);
        Ok(Pause::Done(pass.loading()))
    }

    /// Notes which images of the epoch under way could not be used: those `before` this pass, and those in it.
    fn note_faults(&mut self, before: &[FaultRecord], pass: &Pass<'_>) {
        let in_pass = to_records(self.epoch(), Split::Train, pass.faults());
        self.standing.faults = before.iter().cloned().chain(in_pass).collect();
    }

    /// The features of a split that take the place of its images, in the phase that they were computed for.
    fn rows(&self, split: Split) -> Option<&'a Rows> {
        self.fit.features.filter(|_| self.phase.first_epoch == 0).and_then(|features| features.rows(split))
    }

    /// The rest of the pass over the training split that is under way.
    fn pass(&self) -> Result<Pass<'a>, TrainError> {
        let (train, cursor, classes) = (self.fit.train, self.standing.cursor, self.network.classes.len());
        if let Some(rows) = self.rows(Split::Train) {
            let listings = train.listings(cursor.epoch);
            return Ok(Pass::Rows(RowPass::new(rows, listings, cursor, classes, self.fit.device)));
        }
        let images = Images::new(train.resume(cursor)?, train.preprocessing(), classes, &self.crossing)?;
        Ok(Pass::Images(Box::new(images)))
    }

    fn train_batch(&mut self, examples: &Examples, ends_step: bool) -> Result<Step, TrainError> {
        let Standing { cursor, step, .. } = self.standing;
        if self.plateau.is_none() {
            let base = self.fit.config.optimizer.learning_rate();
            let base = self.phase.learning_rate.unwrap_or(base);
            let (step, steps) = self.steps_of_phase(step);
            let rate = self.fit.config.schedule.rate(step, steps, base);
            self.stepper.optimizer.set_learning_rate(rate)?;
        }
        // The same whoever has the batch, so that its dropout is too.
        let number = cursor.epoch * self.fit.train.whole_batch_count() as u64 + examples.index as u64;
        let step = self.stepper.train(examples, number, ends_step)?;
        let standing = &mut self.standing;
        match &step.trained {
            Ok(trained) => {
                standing.tally.add(&examples.classes, &trained.logits, &trained.losses);
                standing.skipped_in_a_row = 0;
            }
            Err(what) => {
                standing.skipped_batches += 1;
                standing.skipped_in_a_row += 1;
                self.check_divergence(what, examples)?;
            }
        }
        self.standing.step += u64::from(step.moved);
        Ok(step)
    }

    /// Whether the training can go on after a batch that moved no weight.
    fn check_divergence(&self, what: &NotFinite, examples: &Examples) -> Result<(), TrainError> {
        let goes_on = self.fit.config.on_nan == OnNan::Skip
            && self.standing.skipped_in_a_row < OnNan::MOST_IN_A_ROW
            && !matches!(what, NotFinite::Parameter(_));
        if goes_on {
            return Ok(());
        }
        Err(self.diverged(what.clone(), examples.index + 1, self.standing.step + 1, examples.ids.clone()))
    }

    fn diverged(&self, what: NotFinite, batch: usize, step: u64, ids: Vec<u32>) -> TrainError {
        let learning_rate = self.stepper.optimizer.learning_rate();
        TrainError::Diverged(Box::new(Divergence { what, epoch: self.epoch(), batch, step, learning_rate, ids }))
    }

    /// Which optimizer step of its phase step `step` of the training is, and how many the phase has.
    fn steps_of_phase(&self, step: u64) -> (u64, u64) {
        let an_epoch = self.fit.train.batch_count().div_ceil(self.fit.config.accumulate) as u64;
        let all = match self.fit.config.length {
            Length::Epochs(epochs) => an_epoch * epochs as u64,
            Length::Steps(steps) => steps,
        };
        let begin = an_epoch * self.phase.first_epoch;
        let end = self.phase.end_epoch.map_or(all, |epoch| all.min(an_epoch * epoch));
        // Batches that moved no weight make no step, so that a phase may begin before its time.
        (step.saturating_sub(begin), end.saturating_sub(begin))
    }

    fn phase_record(&self) -> PhaseRecord {
        let Stepper { parameters, optimizer, .. } = &self.stepper;
        let trained = parameters.iter().filter(|parameter| optimizer.moves(&parameter.name));
        let learning_rate = self.phase.learning_rate.unwrap_or(self.fit.config.optimizer.learning_rate());
        PhaseRecord {
            epoch: self.phase.first_epoch as usize + 1,
            trained: trained.map(|parameter| parameter.var.elem_count()).sum(),
            frozen_tensors: self.seal.len(),
            frozen: self.seal.numbers,
            frozen_hash: self.seal.hash().to_string(),
            learning_rate,
        }
    }

    /// Begins the phase of the next epoch, where it is another one; the record of the one before it.
    fn change_phase(&mut self) -> Result<Option<PhaseRecord>, TrainError> {
        let phase = self.fit.config.freezing.phase(self.standing.cursor.epoch);
        if phase == self.phase {
            return Ok(None);
        }
        let before = self.phase_record();
        self.phase = phase;
        self.stepper.enter(&self.fit.config, phase)?;
        self.seal = Seal::new(&self.stepper.parameters, &self.stepper.optimizer)?;
        self.plateau = self.fit.config.schedule.plateau();
        self.standing.watch.wait_anew();
        Ok(Some(before))
    }

    /// Whether everything that must stay as it is has done so; nothing is written where it has not.
    fn check_seal(&self) -> Result<(), TrainError> {
        self.seal.check(&self.stepper.parameters, self.epoch())
    }

    fn progress(&self, loss_of_batch: f64, clock: &Clock, pass: &Pass<'_>) -> (Progress, StepProgress) {
        let seconds = self.standing.trained_seconds + clock.seconds();
        let progress = self.standing.tally.progress(self.epoch(), self.fit.train.image_count(), seconds);
        let step = StepProgress {
            step: self.standing.step,
            loss: loss_of_batch,
            learning_rate: self.stepper.optimizer.learning_rate(),
            data_wait_share: pass.loading().data_wait_share,
        };
        (progress, step)
    }

    fn validate_within_epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let started = Instant::now();
        let Validation { scores: validation, monitored, .. } = self.validate(observer, &[Kept::Best])?;
        let record = ValidationRecord { epoch: self.epoch(), step: self.standing.step, validation, monitored };
        self.run.append_validation(&record)?;
        self.standing.seconds += started.elapsed().as_secs_f64();
        observer.validated(&record);
        Ok(())
    }

    /// Measures the validation split and keeps the network where it is the best so far, or the last.
    fn validate(&mut self, observer: &mut dyn Observer, kept: &[Kept]) -> Result<Validation, TrainError> {
        let Fit { validation, config, device, .. } = self.fit;
        let (epoch, classes, monitor) = (self.epoch(), self.network.classes.len(), config.validation.monitor);
        self.check_seal()?;
        let weights = self.stepper.show_average()?;
        // As it is measured later, whatever the steps are computed with.
        self.stepper.model.set_precision(Precision::F32)?;
        let model = &*self.stepper.model;
        let measured = match self.rows(validation.split()) {
            Some(rows) => measure_rows(model, classes, validation, rows, device, epoch, observer),
            None => measure(model, classes, validation, &self.crossing, epoch, observer),
        };
        self.stepper.model.set_precision(config.precision)?;
        let Measured { evaluation, faults, .. } = match measured {
            Err(TrainError::Network(NnError::LogitNotFinite { .. })) => {
                let Standing { cursor, step, .. } = self.standing;
                return Err(self.diverged(NotFinite::Validation, cursor.batch, step, Vec::new()));
            }
            measured => measured?,
        };
        let Some(value) = evaluation.value(monitor) else {
            let reason = format!("is `{}`, which is not defined for the validation split", monitor.name());
            return Err(TrainError::Setting { setting: "validation.monitor", reason });
        };
        let score = |measure| evaluation.value(measure).unwrap_or(f64::NAN);
        let scores =
            Scores { loss: score(Measure::Loss), accuracy: score(Measure::Accuracy), images: evaluation.images };
        let merit = Merit { value, loss: scores.loss };
        let is_best = self.standing.watch.observe(monitor, merit, config.early_stopping.as_ref());
        let checkpoint = Checkpoint { epoch, ..self.network.clone() };
        for kept in kept.iter().filter(|kept| is_best || **kept == Kept::Last) {
            checkpoint.save(&self.stepper.parameters, &self.run.weights_path(*kept))?;
        }
        self.stepper.hide_average(weights)?;
        self.reduce_rate(scores)?;
        let monitored = Some(value).filter(|_| !matches!(monitor, Measure::Accuracy | Measure::Loss));
        Ok(Validation { scores, monitored, faults })
    }

    /// Reduces the learning rate where the schedule waits for measurements.
    fn reduce_rate(&mut self, scores: Scores) -> Result<(), TrainError> {
        if let (Some(plateau), ScheduleConfig::ReduceOnPlateau(config)) = (&mut self.plateau, self.fit.config.schedule)
        {
            let metric = match config.goal {
                Goal::Minimize => scores.loss,
                Goal::Maximize => scores.accuracy,
            };
            let optimizer = &mut self.stepper.optimizer;
            if let PlateauDecision::Reduce { rate } = plateau.observe(metric, optimizer.learning_rate()) {
                optimizer.set_learning_rate(rate)?;
            }
        }
        Ok(())
    }

    /// Measures and records the epoch, and goes on to the next where it is whole.
    fn end_epoch(&mut self, loading: &Loading, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let (started, epoch) = (Instant::now(), self.epoch());
        // The learning rate of the record is that of its steps, which a measurement may reduce.
        let learning_rate = f64::from(self.stepper.optimizer.learning_rate());
        let measured = self.validate(observer, &[Kept::Last, Kept::Best])?;
        let standing = &self.standing;
        let mut faults = standing.faults.clone();
        faults.extend(to_records(epoch, self.fit.validation.split(), measured.faults));
        let replaced = faults.iter().filter(|fault| fault.replaced_by.is_some()).count();
        let train = standing.tally.scores();
        let record = EpochRecord {
            epoch,
            train,
            validation: measured.scores,
            monitored: measured.monitored,
            learning_rate,
            images_per_second: train.images as f64 / standing.trained_seconds,
            seconds: standing.seconds + started.elapsed().as_secs_f64(),
            data_wait_share: loading.data_wait_share,
            loader: loading.shares,
            skipped: (faults.len() - replaced) as u64,
            replaced: replaced as u64,
            skipped_batches: standing.skipped_batches,
        };
        if standing.cursor.batch >= self.fit.train.batch_count() {
            self.standing = Standing {
                cursor: Cursor { epoch: standing.cursor.epoch + 1, batch: 0 },
                step: standing.step,
                skipped_in_a_row: standing.skipped_in_a_row,
                watch: standing.watch.clone(),
                ..Standing::start(self.network.classes.len())
            };
        }
        let ended_phase = self.change_phase()?;
        self.standing.ended = Some((record, faults.clone()));
        // The snapshot comes first: it holds the record, so that a kill in between loses none.
        self.save(observer)?;
        self.log(record, &faults)?;
        observer.epoch_ended(&record);
        if let Some(ended) = ended_phase {
            observer.phase_ended(&ended, epoch);
            observer.phase_began(&self.phase_record());
        }
        Ok(())
    }

    fn log(&mut self, record: EpochRecord, faults: &[FaultRecord]) -> Result<(), TrainError> {
        self.run.append_faults(faults)?;
        self.run.append_epoch(&record)?;
        self.epochs.push(record);
        Ok(self.run.write_csv(&self.epochs)?)
    }

    fn save(&self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let Stepper { parameters, optimizer, average, .. } = &self.stepper;
        let state = State {
            format: Snapshot::FORMAT,
            network: Checkpoint { epoch: self.epoch(), ..self.network.clone() },
            config: self.fit.config_text.to_string(),
            standing: self.standing.clone(),
            optimizer: optimizer.state()?,
            plateau: self.plateau.clone(),
            tensors: String::new(),
        };
        let average = average.as_ref().map_or_else(|| Ok(Vec::new()), WeightAverage::tensors)?;
        let snapshot = Snapshot { state, weights: parameters.tensors()?, average };
        let paths = snapshot.save(self.run, self.fit.config.checkpoints.keep)?;
        observer.saved(self.standing.step, &paths.state);
        Ok(())
    }
}

/// The time that batches take, which pauses for measurements and snapshots.
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    fn stop(&self, standing: &mut Standing) {
        let seconds = self.seconds();
        standing.trained_seconds += seconds;
        standing.seconds += seconds;
    }
}

fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len() as f64
}

fn to_records(epoch: usize, split: Split, faults: Vec<Fault>) -> impl Iterator<Item = FaultRecord> {
    faults.into_iter().map(move |Fault { id, path, reason, replaced_by }| FaultRecord {
        epoch,
        split: split.name().to_string(),
        id,
        path,
        reason,
        replaced_by,
    })
}
