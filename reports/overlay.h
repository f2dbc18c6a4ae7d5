// What a network looks at laid over a thumbnail, as a picture of its own, so that it is seen wherever the page is: also
// in print and PDF, and where no script runs.
#pragma once

#include <span>

#include "extract/images/image.h"
#include "reports/activation.h"

namespace vise::reports {

// Both draw by opacity, clear to three quarters covered, and interpolate between the centres of the map's places. The
// network saw the middle square less `inset` of its edge on every side; what is outside stays as it is.

// Evidence for the class is warm, against it cold: clear at 0, covered most at the map's strongest place.
images::Image overlay(images::Image thumbnail, const ClassMap& map, double inset);

// Shares of attention, height x width (the size is asserted), in one colour, since they are for nothing: clear at the
// least, covered most at the largest.
images::Image overlay(images::Image thumbnail, std::span<const float> shares, int height, int width, double inset);

}  // namespace vise::reports
