# What every R peer shares: reading, the contrast, and one line of JSON with figures for the driver (see figures.py).

args <- commandArgs(trailingOnly = TRUE)
draws <- 1000; chains <- 4; cores <- 2; seed <- 1

read_data <- function() {
  start <- proc.time()[["elapsed"]]
  data <- read.csv(args[1], colClasses = c("numeric", "numeric", "factor"))
  attr(data, "seconds") <- proc.time()[["elapsed"]] - start
  read_at <<- list(clock = as.numeric(Sys.time()), processor = sum(proc.time()[-3]))
  data
}

weighted <- function(data, slopes) {  # a vector by group, or a matrix with a column a group
  rows <- table(data$g)
  drop(if (is.matrix(slopes)) slopes %*% (rows / sum(rows)) else sum(slopes * rows) / sum(rows))
}

peak_bytes <- function() {
  line <- grep("VmHWM", tryCatch(readLines("/proc/self/status"), error = function(e) ""), value = TRUE)
  if (length(line)) as.numeric(gsub("[^0-9]", "", line)) * 1024 else sum(gc()[, 6]) * 2^20
}

table_is_out <- function() {
  now <- as.numeric(Sys.time()); used <- sum(proc.time()[-3])
  list(finished = now, processor_seconds = used, fit_seconds = now - read_at$clock,
       fit_processor_seconds = used - read_at$processor, peak_bytes = peak_bytes())
}

# Cells: array (draw, chain, cell).
diagnostics <- function(cells) {
  bulk <- apply(cells, 3, posterior::ess_bulk)
  list(parameters = dim(cells)[3], draws = prod(dim(cells)[1:2]), ess_min = min(bulk), ess_median = median(bulk),
       r_hat_max = max(apply(cells, 3, posterior::rhat)))
}

report <- function(stamp, packages, ...) {
  versions <- c(list(R = paste(R.version$major, R.version$minor, sep = ".")),
                setNames(lapply(packages, function(p) as.character(packageVersion(p))), packages))
  cat(jsonlite::toJSON(c(stamp, list(versions = versions), list(...)), auto_unbox = TRUE, digits = NA, null = "null"), "\n")
}
